import * as vscode from "vscode";

import { Server, settleLanguage, standardModules } from "./client";
import { Graphs } from "./graph";
import { registerCommands } from "./tasks";
import { Tests } from "./testing";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const running = (server = new Server());
  const graphs = new Graphs(running);
  context.subscriptions.push(
    graphs,
    new Tests(running),
    vscode.workspace.registerTextDocumentContentProvider("couler-std", standardModules(running)),
    vscode.commands.registerCommand("couler.restartServer", () => running.restart()),
    vscode.commands.registerCommand("couler.showGraph", (given?: unknown) => {
      const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
      if (uri !== undefined) graphs.show(uri);
    }),
    vscode.workspace.onDidOpenTextDocument(settleLanguage),
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.restart()),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("couler.path")) await running.restart();
    }),
  );
  registerCommands(context);
  await Promise.all(vscode.workspace.textDocuments.map(settleLanguage));
  await running.restart();
}

export async function deactivate(): Promise<void> {
  await server?.dispose();
}
