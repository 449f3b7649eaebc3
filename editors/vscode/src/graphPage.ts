/// The page around the picture. It may load nothing, and runs the one script that stands in it. The
/// picture is an image, so that nothing in it can run either.

export function graphPage(nonce: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'">
<style nonce="${nonce}">
body { margin: 0; padding: 12px; }
img { display: block; }
#problem { color: var(--vscode-descriptionForeground); min-height: 1.4em; margin: 0 0 8px; }
.vscode-dark img, .vscode-high-contrast:not(.vscode-high-contrast-light) img { color-scheme: dark; }
.vscode-light img, .vscode-high-contrast-light img { color-scheme: light; }
</style>
</head>
<body>
<p id="problem" role="status"></p>
<img id="picture" alt="">
<script nonce="${nonce}">
const picture = document.getElementById("picture");
const problem = document.getElementById("problem");
let scale = 1;
const show = () => {
  picture.style.width = scale === 1 ? "" : picture.naturalWidth * scale + "px";
};
picture.addEventListener("load", show);
window.addEventListener("message", ({ data }) => {
  problem.textContent = data.problem ?? "";
  if (typeof data.picture === "string") {
    picture.src = data.picture;
    picture.alt = data.title;
  }
});
window.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  scale = Math.min(8, Math.max(0.1, scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1)));
  show();
}, { passive: false });
</script>
</body>
</html>
`;
}

/// An SVG as the address of an image; undefined where it is none.
export function pictureOf(svg: string): string | undefined {
  if (!/^\s*(<\?xml[^>]*\?>\s*)?<svg[\s>]/.test(svg)) return undefined;
  return "data:image/svg+xml;base64," + Buffer.from(svg, "utf8").toString("base64");
}
