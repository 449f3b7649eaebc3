import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

import { flavour } from "./flavour";

/// The command `couler`, as the settings name it.
export function commandPath(scope?: vscode.Uri): string {
  const path = vscode.workspace.getConfiguration("couler", scope).get<string>("path", "couler").trim();
  return path === "" ? "couler" : path;
}

/// The language server. Its client heeds `couler.trace.server` by itself.
export class Server implements vscode.Disposable {
  private current: LanguageClient | undefined;
  private starting: Promise<void> = Promise.resolve();
  private readonly started = new vscode.EventEmitter<void>();
  readonly onDidStart = this.started.event;

  /// Undefined while it does not run.
  get client(): LanguageClient | undefined {
    return this.current?.isRunning() ? this.current : undefined;
  }

  restart(): Promise<void> {
    this.starting = this.starting.then(() => this.stop()).then(() => this.start());
    return this.starting;
  }

  private async start(): Promise<void> {
    const command = commandPath();
    const client = new LanguageClient(
      "couler",
      "Couler",
      { command, args: ["lsp"] },
      {
        documentSelector: [
          { scheme: "file", language: "couler" },
          { scheme: "untitled", language: "couler" },
        ],
        initializationOptions: { trusted: vscode.workspace.isTrusted },
        synchronize: {
          fileEvents: [
            vscode.workspace.createFileSystemWatcher("**/*.{cwl,couler}"),
            vscode.workspace.createFileSystemWatcher("**/.couler/history.db*"), // what runs again may be less
          ],
        },
      },
    );
    this.current = client;
    try {
      await client.start();
      this.started.fire();
    } catch (error) {
      this.current = undefined;
      void this.explain(command, error);
    }
  }

  private async explain(command: string, error: unknown): Promise<void> {
    const settings = "Open Settings";
    const chosen = await vscode.window.showErrorMessage(
      `Couler: \`${command} lsp\` does not start: ${error instanceof Error ? error.message : String(error)}. ` +
        "Is `couler` installed, and does the setting `couler.path` name it?",
      settings,
    );
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "couler.path");
    }
  }

  private async stop(): Promise<void> {
    const client = this.current;
    this.current = undefined;
    await client?.dispose().catch(() => undefined); // it may have died by itself
  }

  dispose(): Promise<void> {
    this.started.dispose();
    return this.stop();
  }
}

/// The text of the standard modules, where a definition lies in one.
export function standardModules(server: Server): vscode.TextDocumentContentProvider {
  return {
    async provideTextDocumentContent(uri, token) {
      const module = uri.path.replace(/^\//, "").replace(/\.cwl$/, "");
      return (await server.client?.sendRequest<string | null>("couler/standardModule", { module }, token)) ?? "";
    },
  };
}

/// Gives a document the language that its text is in, see flavour().
export async function settleLanguage(document: vscode.TextDocument): Promise<void> {
  if (!document.fileName.endsWith(".cwl")) return;
  const found = flavour(document.getText());
  if (document.languageId === "couler" && found === "yaml") {
    const known = await vscode.languages.getLanguages();
    await vscode.languages.setTextDocumentLanguage(document, known.includes("cwl") ? "cwl" : "yaml");
  } else if (document.languageId === "cwl" && found === "couler") {
    await vscode.languages.setTextDocumentLanguage(document, "couler");
  }
}
