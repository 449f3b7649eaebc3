const tags = new Set(["A", "B", "BLOCKQUOTE", "BR", "CODE", "DD", "DEL", "DL", "DT", "EM", "H1", "H2", "H3", "H4", "HR", "I", "LI", "OL", "P", "PRE", "SPAN", "STRONG", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL"]);

/// What documentation may hold: text and its form. Doc comments are Markdown, which may hold any HTML.
export function sanitize(html: string): string {
  const document = new DOMParser().parseFromString(html, "text/html");
  for (const element of [...document.body.querySelectorAll("*")]) {
    if (!tags.has(element.tagName)) {
      element.replaceWith(document.createTextNode(element.textContent ?? ""));
      continue;
    }
    for (const { name, value } of [...element.attributes]) {
      if (!(name === "href" && /^https?:\/\//i.test(value))) element.removeAttribute(name);
    }
    if (element.tagName === "A") element.setAttribute("rel", "noopener noreferrer"), element.setAttribute("target", "_blank");
  }
  return document.body.innerHTML;
}
