import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { flavour } from "../src/flavour";
import { repository } from "./places";

test("every example is Couler", () => {
  const files = readdirSync(join(repository, "examples"), { recursive: true, encoding: "utf8" });
  const programs = files.filter((name) => name.endsWith(".cwl"));
  assert.ok(programs.length >= 5);
  for (const name of programs) {
    assert.equal(flavour(readFileSync(join(repository, "examples", name), "utf8")), "couler", name);
  }
});

test("documents of the Common Workflow Language are not", () => {
  for (const text of [
    "cwlVersion: v1.2\nclass: Workflow\n",
    "#!/usr/bin/env cwl-runner\ncwlVersion: v1.0\n",
    "\n\n# a tool\nclass: CommandLineTool",
    '{\n  "cwlVersion": "v1.2"\n}',
    "$graph:\n- class: Workflow\n",
    '"class": Workflow',
    "---\nclass: Workflow",
    "\uFEFFcwlVersion: v1.2",
  ]) {
    assert.equal(flavour(text), "yaml", text);
  }
});

test("comments may come before the edition", () => {
  assert.equal(flavour("// what it does\n\n   couler 1\n"), "couler");
  assert.equal(flavour("\uFEFFcouler 1\r\n"), "couler");
});

test("a file that was just begun is left as it is", () => {
  for (const text of ["", "\n// only a comment\n", "coul", "task fit("]) assert.equal(flavour(text), undefined, text);
});
