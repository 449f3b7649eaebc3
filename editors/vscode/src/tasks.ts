import * as vscode from "vscode";

import { argumentsOf, Job, jobOf, parseInput, Verb } from "./arguments";
import { commandPath } from "./client";

const taskType = "couler";

/// A task in a terminal. It gets an argument vector; no shell reads it.
function taskOf(job: Job, scope: vscode.WorkspaceFolder | undefined, definition: vscode.TaskDefinition): vscode.Task {
  const file = scope === undefined ? vscode.Uri.file(job.file) : vscode.Uri.joinPath(scope.uri, job.file);
  const folder = scope?.uri.fsPath ?? vscode.Uri.joinPath(file, "..").fsPath;
  const title = [job.command, job.workflow ?? job.file.replace(/^.*[/\\]/, "")].join(" ");
  const task = new vscode.Task(
    definition,
    scope ?? vscode.TaskScope.Workspace,
    title,
    "couler",
    new vscode.ProcessExecution(commandPath(file), argumentsOf(job), { cwd: folder }),
    [],
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated };
  if (job.command === "test") task.group = vscode.TaskGroup.Test;
  return task;
}

/// Fills in what `tasks.json` names by `"type": "couler"`.
export const taskProvider: vscode.TaskProvider = {
  provideTasks: () => [],
  resolveTask(task) {
    const job = jobOf(task.definition);
    const scope = typeof task.scope === "object" ? task.scope : vscode.workspace.workspaceFolders?.[0];
    return job === undefined ? undefined : taskOf(job, scope, task.definition);
  },
};

function uriOf(given: unknown): vscode.Uri | undefined {
  if (given instanceof vscode.Uri) return given; // from a menu
  if (typeof given === "string") return vscode.Uri.parse(given); // from a lens
  const editor = vscode.window.activeTextEditor;
  return editor?.document.languageId === "couler" ? editor.document.uri : undefined;
}

async function execute(verb: Verb, given: unknown, name: unknown, inputs?: Record<string, string>): Promise<void> {
  const uri = uriOf(given);
  if (uri === undefined) {
    void vscode.window.showInformationMessage("Couler: open a program first.");
    return;
  }
  if (!vscode.workspace.isTrusted && verb === "run") {
    void vscode.window.showInformationMessage("Couler: workflows run in trusted workspaces only.");
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  if ((document.isDirty || document.isUntitled) && !(await document.save())) return;
  const scope = vscode.workspace.getWorkspaceFolder(document.uri);
  const file = scope === undefined ? document.uri.fsPath : vscode.workspace.asRelativePath(document.uri, false);
  const job: Job = { command: verb, file };
  if (verb !== "test" && typeof name === "string") job.workflow = name;
  if (inputs !== undefined) job.inputs = inputs;
  await vscode.tasks.executeTask(taskOf(job, scope, { type: taskType, ...job }));
}

/// Asks for one input after the other, those of the last time first; undefined when called off.
async function askInputs(memory: vscode.Memento, key: string): Promise<Record<string, string> | undefined> {
  const before = Object.entries(memory.get<Record<string, string>>(key, {}));
  const inputs: Record<string, string> = {};
  for (let i = 0; ; ++i) {
    const given = await vscode.window.showInputBox({
      title: "Run Workflow with Inputs",
      prompt: "An input as `name=value`, such as `rate=0.1` or `data=rows.csv`; nothing begins the run.",
      value: i < before.length ? before[i].join("=") : "",
      validateInput: (text) =>
        text.trim() === "" || parseInput(text) !== undefined ? undefined : "write `name=value`, or nothing",
    });
    if (given === undefined) return undefined;
    const input = parseInput(given);
    if (input !== undefined) {
      inputs[input[0]] = input[1];
    } else if (i >= before.length) {
      await memory.update(key, inputs);
      return inputs;
    }
  }
}

export function registerCommands(context: vscode.ExtensionContext): void {
  const add = (command: string, action: (uri?: unknown, name?: unknown) => Promise<void>) =>
    context.subscriptions.push(vscode.commands.registerCommand(command, action));
  add("couler.run", (uri, name) => execute("run", uri, name));
  add("couler.plan", (uri, name) => execute("plan", uri, name));
  add("couler.test", (uri) => execute("test", uri, undefined));
  add("couler.runWithInputs", async (given, name) => {
    const uri = uriOf(given);
    if (uri === undefined) return;
    const inputs = await askInputs(context.workspaceState, `inputs:${uri.toString()}`);
    if (inputs !== undefined) await execute("run", uri, name, inputs);
  });
  context.subscriptions.push(vscode.tasks.registerTaskProvider(taskType, taskProvider));
}
