import assert from "node:assert/strict";
import { test } from "node:test";

import { argumentsOf, fileArgument, jobOf, parseInput } from "../src/arguments";

test("a run is an argument vector, whatever its inputs hold", () => {
  const inputs = { data: "a b.csv", note: "$(rm -rf ~); `x` \"y\"" };
  assert.deepEqual(argumentsOf({ command: "run", file: "fit.cwl", workflow: "main", inputs }), [
    "run",
    "fit.cwl",
    "main",
    "data=a b.csv",
    "note=$(rm -rf ~); `x` \"y\"",
  ]);
  assert.deepEqual(argumentsOf({ command: "plan", file: "fit.cwl" }), ["plan", "fit.cwl"]);
});

test("tests are run by the file", () => {
  assert.deepEqual(argumentsOf({ command: "test", file: "t.cwl", workflow: "w" }), ["test", "t.cwl"]);
});

test("no file is taken for an option", () => {
  assert.equal(fileArgument("--force"), "./--force");
  assert.equal(fileArgument("/p/--force"), "/p/--force");
});

test("inputs are split at the first equals sign", () => {
  assert.deepEqual(parseInput("rate=0.1"), ["rate", "0.1"]);
  assert.deepEqual(parseInput(" filter = a=b "), ["filter", "a=b"]);
  assert.deepEqual(parseInput("empty="), ["empty", ""]);
  for (const wrong of ["rate", "=1", "1a=2", "--force", ""]) assert.equal(parseInput(wrong), undefined);
});

test("tasks.json is read with care", () => {
  assert.deepEqual(jobOf({ type: "couler", command: "run", file: "a.cwl", inputs: { n: 3 } }), {
    command: "run",
    file: "a.cwl",
    inputs: { n: "3" },
  });
  for (const wrong of [{}, { command: "rm", file: "a" }, { command: "run" }, { command: "run", file: "a", workflow: 3 }]) {
    assert.equal(jobOf(wrong), undefined);
  }
});
