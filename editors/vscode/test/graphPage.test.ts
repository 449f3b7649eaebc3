import assert from "node:assert/strict";
import { test } from "node:test";

import { graphPage, pictureOf } from "../src/graphPage";

test("the page runs its own script and loads nothing", () => {
  const page = graphPage("N0nce");
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
  assert.deepEqual(policy.split("; "), [
    "default-src 'none'",
    "img-src data:",
    "style-src 'nonce-N0nce'",
    "script-src 'nonce-N0nce'",
  ]);
  for (const tag of page.match(/<(script|style)[^>]*>/g) ?? []) assert.match(tag, /nonce="N0nce"/);
  assert.doesNotMatch(page, /https?:|\son\w+=|\sstyle=/);
});

test("a picture is an SVG, whole, whatever is written in it", () => {
  const svg = '<?xml version="1.0" encoding="UTF-8"?>\n<svg><text>ø "</text><script>alert(1)</script></svg>';
  const picture = pictureOf(svg);
  assert.ok(picture?.startsWith("data:image/svg+xml;base64,"));
  assert.equal(Buffer.from((picture ?? "").split(",")[1], "base64").toString("utf8"), svg);
  for (const none of ["", "error: no workflow", "<html></html>", "<svgx>"]) assert.equal(pictureOf(none), undefined);
});
