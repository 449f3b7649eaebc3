import { execFile } from "node:child_process";

import * as vscode from "vscode";

import { fileArgument } from "./arguments";
import { commandPath, Server } from "./client";
import { describe, Finding, outcomes, parseFindings } from "./results";

const programs = "**/*.{cwl,couler}";

/// The test explorer: a program with `test` blocks is an item, its tests are the items below.
export class Tests implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController("couler", "Couler");
  private readonly subscriptions: vscode.Disposable[] = [];

  constructor(private readonly server: Server) {
    const { controller } = this;
    controller.resolveHandler = (item) => (item === undefined ? this.findFiles() : this.findTests(item));
    controller.refreshHandler = () => this.findFiles();
    controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, (request, token) => this.run(request, token), true);
    const watcher = vscode.workspace.createFileSystemWatcher(programs);
    this.subscriptions.push(
      controller,
      watcher,
      watcher.onDidDelete((uri) => controller.items.delete(uri.toString())),
      watcher.onDidCreate((uri) => this.findFile(uri)),
      vscode.workspace.onDidOpenTextDocument((document) => this.look(document)),
      vscode.workspace.onDidSaveTextDocument((document) => this.look(document)),
      server.onDidStart(() => vscode.workspace.textDocuments.forEach((document) => void this.look(document))),
    );
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private async findFiles(): Promise<void> {
    await Promise.all((await vscode.workspace.findFiles(programs)).map((uri) => this.findFile(uri)));
  }

  /// Its text says whether there are tests; only a file that is looked into is opened.
  private async findFile(uri: vscode.Uri): Promise<void> {
    try {
      const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
      if (/^\s*test\s*"/m.test(text)) this.itemOf(uri);
    } catch {
      this.controller.items.delete(uri.toString());
    }
  }

  private async look(document: vscode.TextDocument): Promise<void> {
    if (document.languageId === "couler" && document.uri.scheme === "file") await this.findTests(this.itemOf(document.uri));
  }

  private itemOf(uri: vscode.Uri): vscode.TestItem {
    const known = this.controller.items.get(uri.toString());
    if (known !== undefined) return known;
    const item = this.controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
    item.canResolveChildren = true;
    this.controller.items.add(item);
    return item;
  }

  private async findTests(file: vscode.TestItem): Promise<void> {
    if (file.uri === undefined || this.server.client === undefined) return;
    await vscode.workspace.openTextDocument(file.uri);
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
      "vscode.executeDocumentSymbolProvider",
      file.uri,
    );
    const seen = new Map<string, number>();
    const items: vscode.TestItem[] = [];
    for (const symbol of symbols ?? []) {
      if (symbol.kind !== vscode.SymbolKind.Event) continue;
      const same = seen.get(symbol.name) ?? 0; // titles need not differ
      seen.set(symbol.name, same + 1);
      const item = this.controller.createTestItem(`${symbol.name}#${same}`, symbol.name, file.uri);
      item.range = symbol.range;
      items.push(item);
    }
    file.children.replace(items);
    if (items.length === 0) this.controller.items.delete(file.id);
  }

  private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.controller.createTestRun(request);
    const files = new Map<vscode.TestItem, vscode.TestItem[] | undefined>(); // undefined: all of the file
    const excluded = new Set(request.exclude ?? []);
    const asked = request.include ?? [...this.controller.items].map(([, item]) => item);
    for (const item of asked) {
      if (excluded.has(item)) continue;
      if (item.parent === undefined) {
        files.set(item, undefined);
      } else if (!files.has(item.parent)) {
        files.set(item.parent, [item]);
      } else {
        files.get(item.parent)?.push(item);
      }
    }
    try {
      for (const [file, some] of files) {
        if (token.isCancellationRequested) break;
        if (file.children.size === 0) await this.findTests(file);
        const wanted = some ?? [...file.children].map(([, item]) => item);
        await this.runFile(run, file, wanted.filter((item) => !excluded.has(item)), token);
      }
    } finally {
      run.end();
    }
  }

  private async runFile(
    run: vscode.TestRun,
    file: vscode.TestItem,
    tests: vscode.TestItem[],
    token: vscode.CancellationToken,
  ): Promise<void> {
    const uri = file.uri;
    if (uri === undefined || tests.length === 0) return;
    const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri.toString());
    if (document?.isDirty) await document.save();
    tests.forEach((test) => run.started(test));
    const begun = Date.now();
    let output: string;
    try {
      output = await outputOf(commandPath(uri), ["test", fileArgument(uri.fsPath), "--diagnostics", "json"], token);
    } catch (error) {
      const message = new vscode.TestMessage(error instanceof Error ? error.message : String(error));
      tests.forEach((test) => run.errored(test, message));
      return;
    }
    const known = tests.map((test) => ({
      title: test.label,
      firstLine: (test.range?.start.line ?? 0) + 1,
      lastLine: (test.range?.end.line ?? 0) + 1,
    }));
    const duration = (Date.now() - begun) / tests.length;
    outcomes(known, parseFindings(output)).forEach((outcome, i) => {
      if (outcome.kind === "passed") {
        run.passed(tests[i], duration);
      } else if (outcome.kind === "failed") {
        run.failed(tests[i], outcome.findings.map((one) => messageOf(uri, one)), duration);
      } else {
        run.errored(tests[i], outcome.findings.map((one) => messageOf(undefined, one)), duration);
      }
    });
  }
}

function messageOf(uri: vscode.Uri | undefined, finding: Finding): vscode.TestMessage {
  const message = new vscode.TestMessage(`${finding.code}: ${describe(finding)}`);
  const { start, end } = finding.range;
  message.location = new vscode.Location(
    uri ?? vscode.Uri.file(finding.file),
    new vscode.Range(start.line - 1, start.column - 1, end.line - 1, end.column - 1),
  );
  return message;
}

/// What a command prints; tests that failed end it with 1, which is no fault here.
function outputOf(command: string, vector: string[], token: vscode.CancellationToken): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, vector, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null || error.code === 1) resolve(stdout);
      else reject(new Error(stderr.trim() || error.message));
    });
    token.onCancellationRequested(() => child.kill());
  });
}
