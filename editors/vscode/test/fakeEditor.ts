/// As much of VS Code's interface as the extension and its language client need to start: what the tests look
/// at is written out, everything else is there and does nothing.
import { readFileSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

type Listener = (event: unknown) => unknown;

/// Called, constructed or asked for a member it gives another of its kind.
function anything(): object {
  class Nothing {}
  return new Proxy(Nothing, {
    get: (target, key) => {
      if (key === "then" || typeof key === "symbol") return undefined;
      return key in target ? Reflect.get(target, key) : anything();
    },
    apply: () => ({ dispose() {} }),
  });
}

export class EventEmitter {
  private listeners: Listener[] = [];
  event = (listener: Listener, self?: unknown) => {
    const bound = listener.bind(self);
    this.listeners.push(bound);
    return { dispose: () => (this.listeners = this.listeners.filter((one) => one !== bound)) };
  };
  fire(event?: unknown) {
    return Promise.all(this.listeners.map((one) => one(event)));
  }
  dispose() {
    this.listeners = [];
  }
}

export class Uri {
  private constructor(readonly scheme: string, readonly path: string) {}
  static file = (path: string) => new Uri("file", path);
  static parse = (text: string) =>
    text.startsWith("file:") ? Uri.file(fileURLToPath(text)) : new Uri(text.split(":")[0], text.slice(text.indexOf(":") + 1));
  static joinPath = (uri: Uri, ...parts: string[]) => new Uri(uri.scheme, join(uri.path, ...parts));
  get fsPath() {
    return this.path;
  }
  toString() {
    return this.scheme === "file" ? pathToFileURL(this.path).href : `${this.scheme}:${this.path}`;
  }
}

export class Position {
  constructor(readonly line: number, readonly character: number) {}
}
export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(a: number, b: number, c: number, d: number) {
    this.start = new Position(a, b);
    this.end = new Position(c, d);
  }
}

class Kind {
  constructor(readonly value: string) {}
  append = (part: string): Kind => new Kind(`${this.value}.${part}`);
}

export class Document {
  languageId = "couler";
  version = 1;
  isDirty = false;
  isUntitled = false;
  isClosed = false;
  constructor(readonly uri: Uri, private text: string) {}
  get fileName() {
    return this.uri.fsPath;
  }
  getText = () => this.text;
  setText(text: string) {
    this.text = text;
    this.version += 1;
    this.isDirty = true;
  }
  save() {
    writeFileSync(this.uri.fsPath, this.text);
    this.isDirty = false;
    return Promise.resolve(true);
  }
}

export class TestItem {
  range: Range | undefined;
  canResolveChildren = false;
  parent: TestItem | undefined;
  readonly children = new Items(this);
  constructor(readonly id: string, readonly label: string, readonly uri: Uri) {}
}

class Items {
  private readonly all = new Map<string, TestItem>();
  constructor(private readonly owner?: TestItem) {}
  get size() {
    return this.all.size;
  }
  get = (id: string) => this.all.get(id);
  add(item: TestItem) {
    item.parent = this.owner;
    this.all.set(item.id, item);
  }
  delete = (id: string) => this.all.delete(id);
  replace(items: TestItem[]) {
    this.all.clear();
    items.forEach((item) => this.add(item));
  }
  [Symbol.iterator] = () => this.all.entries();
}

/// An editor with one folder open, and what the extension has done to it.
export class Editor {
  readonly documents: Document[] = [];
  readonly commands = new Map<string, (...given: unknown[]) => unknown>();
  readonly tasks: { definition: object; execution: { process: string; args: string[]; options: { cwd: string } } }[] = [];
  readonly posted: { picture?: string; problem?: string }[] = [];
  readonly page = { html: "", options: {} as Record<string, unknown> };
  readonly outcomes = new Map<string, { kind: string; messages: string[] }>();
  readonly errors: string[] = [];
  readonly changed = new EventEmitter();
  readonly onPost = new EventEmitter();
  controller!: { items: Items; resolveHandler(item?: TestItem): Promise<void> };
  runTests!: (request: object, token: object) => Promise<void>;
  symbols: object[] = [];

  constructor(readonly folder: string) {}

  open(name: string): Document {
    const path = join(this.folder, name);
    const document = new Document(Uri.file(path), readFileSync(path, "utf8"));
    this.documents.push(document);
    return document;
  }

  async type(document: Document, text: string): Promise<void> {
    const before = document.getText();
    const range = new Range(0, 0, before.split("\n").length, 0);
    document.setText(text);
    const change = { range, rangeOffset: 0, rangeLength: before.length, text };
    await this.changed.fire({ document, contentChanges: [change], reason: undefined });
  }

  /// Makes `require("vscode")` give this editor.
  install(): void {
    const fake = this.interface();
    const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };
    const original = loader._load;
    loader._load = (request, ...rest) => (request === "vscode" ? fake : original(request, ...rest));
  }

  private interface(): object {
    const silent = () => new EventEmitter().event;
    const scope = { uri: Uri.file(this.folder), name: basename(this.folder), index: 0 };
    const note = (kind: string) => (item: TestItem, messages?: unknown) =>
      this.outcomes.set(item.label, {
        kind,
        messages: (Array.isArray(messages) ? messages : []).map((one: { message: string }) => one.message),
      });
    const namespaces: Record<string, object> = {
      workspace: {
        textDocuments: this.documents,
        workspaceFolders: [scope],
        isTrusted: true,
        onDidGrantWorkspaceTrust: silent(),
        onDidOpenTextDocument: silent(),
        onDidCloseTextDocument: silent(),
        onDidChangeTextDocument: this.changed.event,
        onDidSaveTextDocument: silent(),
        onDidChangeConfiguration: silent(),
        getConfiguration: () => ({ get: (_: string, otherwise: unknown) => otherwise, inspect: () => undefined }),
        getWorkspaceFolder: (uri: Uri) => (uri.path.startsWith(this.folder) ? scope : undefined),
        asRelativePath: (uri: Uri) => uri.path.slice(this.folder.length + 1),
        openTextDocument: async (uri: Uri) => this.documents.find((one) => one.uri.toString() === uri.toString()),
        createFileSystemWatcher: () => ({ onDidCreate: silent(), onDidChange: silent(), onDidDelete: silent(), dispose() {} }),
        findFiles: async () => [Uri.file(join(this.folder, "tests.cwl")), Uri.file(join(this.folder, "plain.cwl"))],
        fs: { readFile: async (uri: Uri) => readFileSync(uri.fsPath) },
      },
      languages: {
        match: (_: unknown, document: Document) => (document.languageId === "couler" ? 10 : 0),
        createDiagnosticCollection: () => ({ set() {}, delete() {}, clear() {}, has: () => false, dispose() {} }),
        getLanguages: async () => ["couler", "yaml"],
        setTextDocumentLanguage: async (document: Document, language: string) => {
          document.languageId = language;
          return document;
        },
      },
      window: {
        activeTextEditor: undefined,
        visibleTextEditors: [],
        tabGroups: { all: [], onDidChangeTabs: silent(), onDidChangeTabGroups: silent() },
        showErrorMessage: async (text: string) => void this.errors.push(text),
        showInformationMessage: async (text: string) => void this.errors.push(text),
        createOutputChannel: () => ({ append() {}, appendLine() {}, show() {}, dispose() {} }),
        createWebviewPanel: (_: string, title: string, __: object, options: Record<string, unknown>) => {
          const { page, posted, onPost } = this;
          page.options = options;
          return {
            title,
            webview: {
              set html(text: string) {
                page.html = text;
              },
              postMessage: async (message: { picture?: string }) => {
                posted.push(message);
                await onPost.fire();
              },
            },
            onDidDispose: silent(),
            reveal() {},
            dispose() {},
          };
        },
      },
      commands: {
        registerCommand: (name: string, action: () => unknown) => {
          this.commands.set(name, action);
          return { dispose: () => this.commands.delete(name) };
        },
        executeCommand: async (name: string) => (name === "vscode.executeDocumentSymbolProvider" ? this.symbols : undefined),
      },
      tasks: { executeTask: async (task: never) => void this.tasks.push(task) },
      tests: {
        createTestController: () =>
          (this.controller = {
            items: new Items(),
            createTestItem: (id: string, label: string, uri: Uri) => new TestItem(id, label, uri),
            createRunProfile: (_: string, __: unknown, run: typeof this.runTests) => void (this.runTests = run),
            createTestRun: () => ({
              started() {},
              passed: note("passed"),
              failed: note("failed"),
              errored: note("errored"),
              end() {},
            }),
            dispose() {},
          } as never),
      },
    };
    const rest = anything() as Record<string, object>;
    const fake: Record<string, unknown> = Object.create(rest);
    for (const [name, members] of Object.entries(namespaces)) {
      fake[name] = new Proxy(members, { get: (target, key) => (key in target ? Reflect.get(target, key) : anything()) });
    }
    return Object.assign(fake, {
      version: "1.82.0",
      EventEmitter,
      Uri,
      Position,
      Range,
      CancellationTokenSource: class {
        readonly token = { isCancellationRequested: false, onCancellationRequested: silent() };
        cancel() {}
        dispose() {}
      },
      CodeActionKind: new Proxy({}, { get: (_, key) => new Kind(String(key)) }),
      SymbolKind: { Event: 23, Function: 11 },
      Location: class {
        constructor(readonly uri: Uri, readonly range: Range) {}
      },
      TestMessage: class {
        constructor(readonly message: string) {}
      },
      Task: class {
        constructor(readonly definition: object, readonly scope: unknown, readonly name: string, readonly source: string, readonly execution: object) {}
      },
      ProcessExecution: class {
        constructor(readonly process: string, readonly args: string[], readonly options: object) {}
      },
      Disposable: class {
        constructor(readonly dispose: () => void) {}
        static from(...all: { dispose(): void }[]) {
          return { dispose: () => all.forEach((one) => one.dispose()) };
        }
      },
      env: { appName: "test", language: "en", appHost: "desktop" },
    });
  }
}

