import assert from "node:assert/strict";
import { test } from "node:test";

import { duration, inputWords, mostLines, RunModel, shellLine, valueText } from "../src/runModel";

const event = (event: string, more: object = {}) => JSON.stringify({ event, at: 1, done: 0, total: 2, ...more });

test("a run's events become steps and outputs", () => {
  const run = new RunModel("run");
  run.take("out", [
    event("run-started"),
    event("step-started", { step: "a.0", task: "a", state: "running", attempt: 1 }),
    event("step-retrying", { step: "a.0", task: "a", state: "failed", attempt: 1, failure: "exit code 1" }),
    event("step-started", { step: "a.0", task: "a", state: "running", attempt: 2 }),
  ]);
  assert.deepEqual([run.state, run.steps.get("a.0")?.state, run.steps.get("a.0")?.attempt], ["running", "running", 2]);
  run.take("out", [
    event("step-ended", { step: "a.0", task: "a", state: "succeeded", attempt: 2, seconds: 0.5, done: 1 }),
    event("step-ended", { step: "b", task: "b", state: "reused", attempt: 0, seconds: 0, done: 2 }),
    event("run-ended"),
    event("outputs", { outputs: { score: 0.5 } }),
  ]);
  run.code = 0;
  assert.deepEqual([...run.steps.keys()], ["a.0", "b"]);
  assert.equal(run.steps.get("a.0")?.seconds, 0.5);
  assert.deepEqual(run.outputs, { score: 0.5 });
  assert.equal(run.state, "succeeded");
});

test("what is no event is text, and all that a plan prints", () => {
  const run = new RunModel("run");
  run.take("out", ["{", event("note", { message: "less memory" })]);
  run.take("err", ["error[CW0701]: step `a` failed"]);
  assert.deepEqual(run.text, ["{", "less memory", "error[CW0701]: step `a` failed"]);
  const plan = new RunModel("plan");
  plan.take("out", ["{}"]);
  assert.deepEqual(plan.text, ["{}"]);
});

test("a failure is told from one that was wanted", () => {
  const run = new RunModel("run");
  run.code = 1;
  assert.equal(run.state, "failed");
  run.cancelled = true;
  assert.equal(run.state, "cancelled");
});

test("the page keeps the end of a long text", () => {
  const run = new RunModel("plan");
  run.take("out", Array.from({ length: mostLines + 10 }, (_, i) => String(i)));
  assert.ok(run.text.length <= mostLines);
  assert.equal(run.left + run.text.length, mostLines + 10);
  assert.equal(run.text.at(-1), String(mostLines + 9));
});

test("inputs, command lines, values and times", () => {
  assert.deepEqual(inputWords(" a=1\n\nword = 2\ntext=x = y\n--force"), { words: ["a=1", "text=x = y"], wrong: ["word = 2", "--force"] });
  assert.equal(shellLine(["couler", "run", "a b.cwl", "t=it's"]), `couler run 'a b.cwl' 't=it'\\''s'`);
  assert.deepEqual([valueText("a\nb"), valueText(0.5), valueText(null), valueText([1, 2])], ["a\nb", "0.5", "null", "[\n 1,\n 2\n]"]);
  assert.deepEqual([duration(0.0123), duration(2), duration(61)], ["12 ms", "2.0 s", "1 min 1 s"]);
});
