/// What a file that ends in `.cwl` holds: `.cwl` is also the ending of the Common Workflow Language,
/// which is YAML or JSON. Undefined where the text does not say (it is empty, or begun just now).
export function flavour(text: string): "couler" | "yaml" | undefined {
  for (const raw of text.split(/\r?\n/, 200)) {
    const line = raw.replace(/^\uFEFF/, "").trim();
    if (line === "" || line.startsWith("//")) continue;
    if (/^couler\b/.test(line)) return "couler";
    // A comment of YAML or `#!`, a mark of a document, an object of JSON, a key.
    return /^(#|---|\{|["']?[$\w]+["']?\s*:(\s|$))/.test(line) ? "yaml" : undefined;
  }
  return undefined;
}
