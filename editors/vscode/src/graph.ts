import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

import * as vscode from "vscode";
import { ResponseError } from "vscode-languageclient/node";

import { fileArgument } from "./arguments";
import { commandPath, Server } from "./client";
import { graphPage, pictureOf } from "./graphPage";

const methodNotFound = -32601;

/// Panels that draw programs, one a document, anew while it is typed.
export class Graphs implements vscode.Disposable {
  private readonly panels = new Map<string, GraphPanel>();
  private readonly subscription: vscode.Disposable;

  constructor(private readonly server: Server) {
    this.subscription = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.panels.get(document.uri.toString())?.later()),
      vscode.workspace.onDidSaveTextDocument(() => this.panels.forEach((panel) => panel.later())), // what is imported
      server.onDidStart(() => this.panels.forEach((panel) => panel.later())),
    );
  }

  show(uri: vscode.Uri): void {
    const key = uri.toString();
    const open = this.panels.get(key);
    if (open !== undefined) {
      open.reveal();
      return;
    }
    this.panels.set(key, new GraphPanel(uri, this.server, () => this.panels.delete(key)));
  }

  dispose(): void {
    this.subscription.dispose();
    this.panels.forEach((panel) => panel.dispose());
  }
}

class GraphPanel {
  private readonly panel: vscode.WebviewPanel;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0; // answers that come late are dropped
  private closed = false;

  constructor(
    private readonly uri: vscode.Uri,
    private readonly server: Server,
    onClose: () => void,
  ) {
    this.panel = vscode.window.createWebviewPanel(
      "couler.graph",
      `Graph of ${uri.path.replace(/^.*\//, "")}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [], retainContextWhenHidden: true },
    );
    this.panel.webview.html = graphPage(randomBytes(16).toString("base64url"));
    this.panel.onDidDispose(() => {
      this.closed = true;
      clearTimeout(this.timer);
      onClose();
    });
    void this.draw();
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel.dispose();
  }

  later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.draw(), 150);
  }

  private async draw(): Promise<void> {
    const asked = ++this.asked;
    const message: { picture?: string; title?: string; problem?: string } = {};
    try {
      const { svg, behind } = await this.graph();
      message.picture = svg === undefined ? undefined : pictureOf(svg);
      message.title = this.panel.title;
      if (behind) message.problem = "As it was: the program has mistakes now.";
      if (message.picture === undefined) message.problem = "No graph: the program has mistakes, or no one workflow that no other calls.";
    } catch (error) {
      message.problem = error instanceof Error ? error.message : String(error);
    }
    if (!this.closed && asked === this.asked) await this.panel.webview.postMessage(message);
  }

  /// Of the text as it stands, from the server; of the saved file where the server is an older one.
  private async graph(): Promise<{ svg?: string; behind?: boolean }> {
    const client = this.server.client;
    if (client !== undefined) {
      try {
        const uri = client.code2ProtocolConverter.asUri(this.uri);
        const textDocument = { uri };
        return (await client.sendRequest<{ svg?: string; behind?: boolean } | null>("couler/graph", { textDocument })) ?? {};
      } catch (error) {
        if (!(error instanceof ResponseError) || error.code !== methodNotFound) throw error;
      }
    }
    const vector = ["graph", fileArgument(this.uri.fsPath), "--format", "svg"];
    const run = promisify(execFile)(commandPath(this.uri), vector, { maxBuffer: 64 << 20 });
    const { stdout } = await run.catch((error: { code?: unknown }) => {
      if (error.code === 1) return { stdout: undefined }; // mistakes in the program, which the editor shows
      throw error;
    });
    return { svg: stdout };
  }
}
