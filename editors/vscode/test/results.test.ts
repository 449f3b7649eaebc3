import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { describe, Finding, outcomes, parseFindings } from "../src/results";

const program = `couler 1

fn half(x: float) -> float = x / 2

test "halves" {
    expect half(2.0) == 1.0
    expect half(2.0) == 3.0
}

test "fine" {
    expect half(4.0) == 2.0
}
`;
const tests = [
  { title: "halves", firstLine: 5, lastLine: 8 },
  { title: "fine", firstLine: 10, lastLine: 12 },
];

/// What the command itself says of a program.
function run(text: string): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), "couler-"));
  try {
    const file = join(folder, "t.cwl");
    writeFileSync(file, text);
    try {
      return parseFindings(
        execFileSync("couler", ["test", file, "--diagnostics", "json"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      );
    } catch (error) {
      return parseFindings((error as { stdout: string }).stdout);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the command's findings go to the tests that they are in", () => {
  const [halves, fine] = outcomes(tests, run(program));
  assert.equal(halves.kind, "failed");
  assert.equal(fine.kind, "passed");
  if (halves.kind !== "failed") return;
  assert.equal(halves.findings.length, 1);
  assert.equal(halves.findings[0].range.start.line, 7);
  assert.equal(describe(halves.findings[0]), "this does not hold\nleft side is 1.0\nright side is 3.0");
});

test("without a fault all pass", () => {
  const found = run(program.replace("3.0", "1.0"));
  assert.deepEqual(outcomes(tests, found).map((one) => one.kind), ["passed", "passed"]);
});

test("a program with mistakes runs no test", () => {
  const found = outcomes(tests, run(program.replace("half(4.0)", "halve(4.0)")));
  assert.deepEqual(found.map((one) => one.kind), ["errored", "errored"]);
});

test("lines that are none of ours are skipped", () => {
  assert.deepEqual(parseFindings("1 passed\n{\"code\":\n{}\n"), []);
});
