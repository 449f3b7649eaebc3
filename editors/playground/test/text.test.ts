import assert from "node:assert/strict";
import { test } from "node:test";

import { Text } from "@codemirror/state";

import { fixesOf, type Found } from "../src/diagnostics";
import { indentOf } from "../src/indent";
import { lensesOf } from "../src/live";
import { changesOf, offsetOf, positionOf } from "../src/positions";
import { decodeTokens } from "../src/tokens";

const doc = Text.of(["let 𝛼 = f(x)", "", "// end"]);

test("places there and back, those behind an end at it", () => {
  for (const offset of [0, 4, 6, doc.length]) assert.equal(offsetOf(doc, positionOf(doc, offset)), offset);
  assert.deepEqual(positionOf(doc, doc.length), { line: 2, character: 6 });
  assert.equal(offsetOf(doc, { line: 1, character: 9 }), doc.line(2).to);
  assert.equal(offsetOf(doc, { line: 7, character: 0 }), doc.length);
  const range = { start: { line: 0, character: 4 }, end: { line: 0, character: 6 } };
  assert.deepEqual(changesOf(doc, [{ range, newText: "a" }]), [{ from: 4, to: 6, insert: "a" }]);
});

test("tokens are placed from the one before, and those that do not fit are left out", () => {
  const legend = { tokenTypes: ["keyword", "function", "comment"], tokenModifiers: ["declaration", "readonly"] };
  const data = [0, 0, 3, 0, 0, 0, 9, 1, 1, 3, 0, 1, 99, 1, 0, 2, 0, 6, 2, 0, 0, 0, 2, 9, 0, 5, 0, 1, 0, 0];
  assert.deepEqual(decodeTokens(data, legend, doc), [
    { from: 0, to: 3, classes: "tok-keyword" },
    { from: 9, to: 10, classes: "tok-function tok-declaration tok-readonly" },
    { from: doc.line(3).from, to: doc.length, classes: "tok-comment" },
  ]);
});

test("lenses stand above their lines", () => {
  const range = { start: { line: 2, character: 3 }, end: { line: 2, character: 6 } };
  const lenses = [{ range, command: { title: "run", command: "couler.run", arguments: ["file:///a", "main"] } }, { range }];
  assert.deepEqual(lensesOf(lenses, doc), [{ at: doc.line(3).from, title: "run", command: "couler.run", name: "main" }]);
});

test("a fix belongs to the message that it mends", () => {
  const found = (line: number): Found => ({ range: { start: { line, character: 0 }, end: { line, character: 3 } }, code: "CW0201", message: "unknown" });
  const actions = [{ title: "write `a`", diagnostics: [found(0)] }, { title: "write `b`", diagnostics: [found(1)] }, { title: "extract" }];
  assert.deepEqual(fixesOf(found(1), actions).map(({ title }) => title), ["write `b`"]);
});

test("indentation follows brackets and scripts", () => {
  assert.equal(indentOf("workflow w() {", ""), 4);
  assert.equal(indentOf("workflow w() {  // why", ""), 4);
  assert.equal(indentOf("workflow w() {", "}"), 0);
  assert.equal(indentOf("    let a = 1", ""), 4);
  assert.equal(indentOf("    let a = 1", "}"), 0);
  assert.equal(indentOf('    run python """', ""), 8);
  assert.equal(indentOf("    // a { b", ""), 4);
  assert.equal(indentOf("", "}"), 0);
});
