import { formatDocument, formatKeymap, findReferencesKeymap, hoverTooltips, jumpToDefinitionKeymap, LSPClient, renameKeymap, serverCompletion, signatureHelp } from "@codemirror/lsp-client";
import { openLintPanel } from "@codemirror/lint";
import { EditorView, keymap } from "@codemirror/view";

import { Connection, fileName } from "./connection";
import { serverMessages } from "./diagnostics";
import { type EditorHooks, programState, setDark } from "./editor";
import { GraphPane } from "./graph";
import type { Lens } from "./lenses";
import { inputWords } from "./runModel";
import { RunPane } from "./runPane";
import { sanitize } from "./sanitize";
import { splitters, theme } from "./layout";
import { OneFile } from "./workspace";

interface Opened {
  name: string;
  uri: string;
  root: string;
  text: string;
  programs: string[];
  examples: boolean;
}

const byId = <Type extends HTMLElement>(id: string) => document.getElementById(id) as Type;
const picker = byId<HTMLSelectElement>("program");
const messages = byId<HTMLButtonElement>("messages");
const notice = byId("notice");
const reload = byId("reload");
const inputs = byId<HTMLTextAreaElement>("inputs");
const saveButton = byId<HTMLButtonElement>("save");
const runButton = byId<HTMLButtonElement>("run");

/// What is being written survives a reload of the page.
const kept = {
  read: () => JSON.parse(sessionStorage.getItem("couler") ?? "null") as { name: string; text: string } | null,
  write: (name: string, text: string) => sessionStorage.setItem("couler", JSON.stringify({ name, text })),
};

const socket = new WebSocket(`ws://${location.host}/session?token=${encodeURIComponent(location.hash.slice(1))}`);
const connection = new Connection(socket, () => {
  say("The connection to couler playground is gone. If it has ended, start it again and open the address that it prints; what you wrote stays here.");
  reload.hidden = false;
});
reload.addEventListener("click", () => location.reload());
byId("dismiss").addEventListener("click", () => (notice.hidden = true));

let opened: Opened;
let saved = "";
let client: LSPClient | undefined;
let view: EditorView | undefined;

function say(text: string): void {
  byId("notice-text").textContent = text;
  notice.hidden = false;
}
const report = (error: unknown) => say(error instanceof Error ? error.message : String(error));

const graph = new GraphPane(byId<HTMLImageElement>("picture"), byId("graph-note"), byId("graph-frame"));
byId("zoom-in").addEventListener("click", () => graph.zoom(1.25));
byId("zoom-out").addEventListener("click", () => graph.zoom(0.8));
byId("zoom-fit").addEventListener("click", () => graph.zoom(undefined));

const runPane = new RunPane(byId("output"), () => void connection.request("cancel").catch(report));
connection.onNotification = (method, params) => {
  if (method === "lines") runPane.lines(String(params.stream), params.lines as string[]);
  if (method === "ended") {
    runPane.ended(Number(params.code), params.report as string | undefined);
    buttons();
  }
};

function languageClient(rootUri: string): LSPClient {
  return new LSPClient({
    rootUri,
    timeout: 60_000,
    sanitizeHTML: sanitize,
    workspace: (made) => new OneFile(made, showFile),
    extensions: [
      serverCompletion(),
      hoverTooltips({ hoverTime: 300 }),
      signatureHelp(),
      keymap.of([...formatKeymap, ...renameKeymap, ...jumpToDefinitionKeymap, ...findReferencesKeymap]),
      serverMessages(tellMessages),
    ],
  }).connect(connection);
}

function tellMessages(errors: number, warnings: number): void {
  const words = [
    errors > 0 ? `${errors} ${errors === 1 ? "error" : "errors"}` : "",
    warnings > 0 ? `${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "",
  ].filter((word) => word !== "");
  messages.textContent = words.join(", ") || "no problems";
  messages.className = errors > 0 ? "bad" : warnings > 0 ? "warn" : "good";
}
messages.addEventListener("click", () => view && openLintPanel(view));

const text = () => view?.state.sliceDoc() ?? "";
const dirty = () => text() !== saved;

function buttons(): void {
  const writes = !opened.examples;
  saveButton.hidden = !writes;
  saveButton.disabled = !dirty();
  runButton.disabled = runPane.busy;
  byId<HTMLButtonElement>("plan").disabled = runPane.busy;
  byId("run-label").textContent = writes && dirty() ? "Save and run" : "Run";
  document.title = `${writes && dirty() ? "• " : ""}${fileName(opened.uri)} – Couler`;
}

const hooks: EditorHooks = {
  nonce: document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "",
  dark: theme.dark,
  changed() {
    kept.write(opened.name, text());
    buttons();
  },
  run: () => void start("run"),
  save: () => void save(),
  lens: (lens: Lens) => void start(lens.command.replace(/^couler\./, ""), lens.command === "couler.test" ? undefined : lens.name),
  graph: (drawn) => graph.draw(drawn, opened.name),
};

/// False: it was not saved.
async function save(): Promise<boolean> {
  if (!dirty()) return true;
  const now = text();
  try {
    const { changed } = await connection.request<{ changed: boolean }>("save", { text: now });
    if (changed) {
      if (!confirm(`${opened.name} was changed by something else since it was opened. Write over it?`)) return false;
      await connection.request("save", { text: now, over: true });
    }
  } catch (error) {
    report(error);
    return false;
  }
  saved = now;
  buttons();
  return true;
}

async function start(command: string, workflow?: string): Promise<void> {
  if (runPane.busy) return;
  const { words, wrong } = inputWords(inputs.value);
  if (wrong.length > 0) return say(`An input is written name=value, one a line; this is none: ${wrong.join(", ")}`);
  notice.hidden = true;
  runPane.begin(command);
  buttons();
  try {
    if (!(await save())) return runPane.clear();
    runPane.started((await connection.request<{ words: string[] }>("start", { command, workflow, inputs: words })).words);
  } catch (error) {
    report(error);
    runPane.clear();
  } finally {
    buttons();
  }
}

async function open(name?: string): Promise<void> {
  const next = await connection.request<Opened>("open", { name });
  if (opened?.name !== next.name) inputs.value = "";
  opened = next;
  saved = opened.text;
  picker.replaceChildren(...opened.programs.map((one) => new Option(opened.examples ? one.replace(/\.(cwl|couler)$/, "").replace(/^(.*)\/\1$/, "$1") : one, one)));
  picker.value = opened.name;
  byId("picker-label").textContent = opened.examples ? "Example" : "Program";
  const before = kept.read();
  const content = before?.name === opened.name ? before.text : opened.text;
  client ??= languageClient(opened.root);
  const state = programState(client, opened.uri, content, hooks);
  if (view === undefined) view = new EditorView({ parent: byId("editor"), state });
  else view.setState(state);
  kept.write(opened.name, content);
  buttons();
}

/// What was not saved: of an example it is, in its copy; of a file one is asked.
async function leave(): Promise<boolean> {
  if (!dirty()) return true;
  if (!opened.examples) return confirm(`${opened.name} is not saved. Leave it, and lose the changes?`);
  return save();
}

async function go(name: string): Promise<boolean> {
  if (!(await leave())) return false;
  sessionStorage.removeItem("couler");
  await open(name);
  return true;
}
picker.addEventListener("change", () => {
  void go(picker.value).catch(report).finally(() => (picker.value = opened.name));
});

/// Definitions in other files.
async function showFile(uri: string): Promise<EditorView | null> {
  const name = opened.programs.find((one) => decodeURIComponent(uri) === `${decodeURIComponent(opened.root)}/${one}`);
  if (name === undefined) {
    say(`That is in ${fileName(uri)}, which is not among the programs of this page.`);
    return null;
  }
  return (await go(name)) && view ? view : null;
}

byId("run").addEventListener("click", hooks.run);
byId("plan").addEventListener("click", () => void start("plan"));
byId("format").addEventListener("click", () => view && formatDocument(view));
byId("save").addEventListener("click", hooks.save);
byId("keys-open").addEventListener("click", () => byId<HTMLDialogElement>("keys").showModal());
addEventListener("beforeunload", (event) => {
  if (opened !== undefined && !opened.examples && dirty()) event.preventDefault();
});
theme.changed = (dark) => {
  hooks.dark = dark;
  if (view) setDark(view, dark);
};
splitters();
open(kept.read()?.name).catch(() => open()).then(() => view?.focus(), report);
