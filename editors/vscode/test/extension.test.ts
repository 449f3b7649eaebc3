// The extension as a whole, with the real language client and the real command, in an editor that is not.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Document, Editor, Range, TestItem } from "./fakeEditor";

const program = `couler 1

task greet(name: string) -> (line: string = stdout) {
    run ["echo", name]
}

workflow hello(name: string = "world") -> (line: string) {
    let said = greet(name)
    return (line: said.line)
}
`;
const checks = `couler 1

test "holds" {
    expect 1 + 1 == 2
}

test "does not" {
    expect 1 + 1 == 3
}
`;

const folder = mkdtempSync(join(tmpdir(), "couler-vscode-"));
const editor = new Editor(folder);
const context = { subscriptions: [] as { dispose(): unknown }[], workspaceState: { get: () => ({}), update: async () => {} } };
let extension: { activate(context: object): Promise<void>; deactivate(): Promise<void> };
let main: Document;
let foreign: Document;

before(async () => {
  writeFileSync(join(folder, "main.cwl"), program);
  writeFileSync(join(folder, "plain.cwl"), program);
  writeFileSync(join(folder, "tests.cwl"), checks);
  writeFileSync(join(folder, "tool.cwl"), "cwlVersion: v1.2\nclass: CommandLineTool\n");
  main = editor.open("main.cwl");
  editor.open("tests.cwl");
  foreign = editor.open("tool.cwl");
  editor.install();
  extension = require("../src/extension");
  await extension.activate(context);
});

after(async () => {
  await extension.deactivate(); // and with that the server ends, or this process would not
  context.subscriptions.forEach((one) => one.dispose());
  rmSync(folder, { recursive: true });
});

/// The next thing that the graph's page is told, or one of before that fits.
async function told(fits: (message: { picture?: string; problem?: string }) => boolean): Promise<void> {
  while (!editor.posted.some(fits)) await new Promise((resolve) => editor.onPost.event(resolve));
}

test("it starts the server and says nothing", () => {
  assert.deepEqual(editor.errors, []);
});

test("each command of the manifest is there", () => {
  const manifest = require("../package.json") as { contributes: { commands: { command: string }[] } };
  for (const { command } of manifest.contributes.commands) assert.ok(editor.commands.has(command), command);
});

test("a document of the Common Workflow Language is given back", () => {
  assert.equal(foreign.languageId, "yaml");
  assert.equal(main.languageId, "couler");
});

test("a lens runs its workflow as an argument vector in the workspace's folder", async () => {
  await editor.commands.get("couler.run")?.(main.uri.toString(), "hello");
  const { execution, definition } = editor.tasks[editor.tasks.length - 1];
  assert.equal(execution.process, "couler");
  assert.deepEqual(execution.args, ["run", "main.cwl", "hello"]);
  assert.equal(execution.options.cwd, folder);
  assert.deepEqual(definition, { type: "couler", command: "run", file: "main.cwl", workflow: "hello" });
});

test("what was not saved is saved before it runs", async () => {
  main.setText(program);
  await editor.commands.get("couler.plan")?.(main.uri);
  assert.equal(main.isDirty, false);
  assert.deepEqual(editor.tasks[editor.tasks.length - 1].execution.args, ["plan", "main.cwl"]);
});

test("the graph is drawn of the text as it is typed", async () => {
  editor.commands.get("couler.showGraph")?.(main.uri);
  assert.deepEqual(editor.page.options.localResourceRoots, []);
  assert.match(editor.page.html, /default-src 'none'/);
  const drawn = (word: string) => (message: { picture?: string }) =>
    message.picture !== undefined && Buffer.from(message.picture.split(",")[1], "base64").toString().includes(word);
  await told(drawn("greet"));
  await editor.type(main, program.replaceAll("greet", "welcome"));
  await told(drawn("welcome"));
  await editor.type(main, program.replace("greet(name)", "nobody(name)"));
  await told((message) => drawn("welcome")(message) && /^As it was/.test(message.problem ?? ""));
});

test("files with tests are found by their text, and their tests run", async () => {
  await editor.controller.resolveHandler();
  const files = [...editor.controller.items].map(([, item]) => item.label);
  assert.deepEqual(files, ["tests.cwl"]);
  const [[, file]] = [...editor.controller.items] as [string, TestItem][];
  editor.symbols = [
    { name: "holds", kind: 23, range: new Range(2, 0, 4, 1) },
    { name: "does not", kind: 23, range: new Range(6, 0, 8, 1) },
    { name: "no test", kind: 11, range: new Range(0, 0, 0, 1) },
  ];
  await editor.controller.resolveHandler(file);
  assert.deepEqual([...file.children].map(([, item]) => item.label), ["holds", "does not"]);
  await editor.runTests({ include: undefined }, { isCancellationRequested: false, onCancellationRequested() {} });
  assert.equal(editor.outcomes.get("holds")?.kind, "passed");
  assert.deepEqual(editor.outcomes.get("does not"), {
    kind: "failed",
    messages: ["CW0915: this does not hold\nleft side is 2\nright side is 3"],
  });
});
