import { type LSPClient, LSPPlugin, Workspace, type WorkspaceFile } from "@codemirror/lsp-client";
import type { ChangeSet, Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

class OpenFile implements WorkspaceFile {
  version = 0;
  constructor(readonly uri: string, readonly languageId: string, public doc: Text, private readonly view: EditorView) {}
  getView(): EditorView {
    return this.view;
  }
}

/// The one file that the page shows. `show` puts another in its place, where it can.
export class OneFile extends Workspace {
  files: OpenFile[] = [];

  constructor(client: LSPClient, private readonly show: (uri: string) => Promise<EditorView | null>) {
    super(client);
  }

  syncFiles() {
    const result: { file: OpenFile; prevDoc: Text; changes: ChangeSet }[] = [];
    for (const file of this.files) {
      const plugin = LSPPlugin.get(file.getView());
      if (!plugin || plugin.uri !== file.uri || plugin.unsyncedChanges.empty) continue;
      result.push({ file, prevDoc: file.doc, changes: plugin.unsyncedChanges });
      file.doc = file.getView().state.doc;
      file.version += 1;
      plugin.clear();
    }
    return result;
  }

  openFile(uri: string, languageId: string, view: EditorView): void {
    const file = new OpenFile(uri, languageId, view.state.doc, view);
    this.files.push(file);
    this.client.didOpen(file);
  }

  closeFile(uri: string): void {
    this.files = this.files.filter((file) => file.uri !== uri);
    this.client.didClose(uri);
  }

  override displayFile(uri: string): Promise<EditorView | null> {
    return this.show(uri);
  }
}
