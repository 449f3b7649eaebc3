import type { LSPClient, LSPClientExtension } from "@codemirror/lsp-client";
import { LSPPlugin } from "@codemirror/lsp-client";
import { type Action, type Diagnostic, setDiagnostics } from "@codemirror/lint";
import type { EditorView } from "@codemirror/view";

import { changesOf, offsetOf, positionOf, type Range, type TextEdit } from "./positions";

/// Messages of the server in the editor, each with its fixes.

export interface Found {
  range: Range;
  severity?: number;
  code?: string;
  message: string;
  tags?: number[];
}
export interface CodeAction {
  title: string;
  kind?: string;
  diagnostics?: Found[];
  edit?: { changes?: Record<string, TextEdit[]> };
}

const severities = ["error", "error", "warning", "info", "hint"] as const;

/// Those of `actions` that mend what was found.
export function fixesOf(found: Found, actions: readonly CodeAction[]): CodeAction[] {
  const key = ({ range, code, message }: Found) => JSON.stringify([range.start, range.end, code, message]);
  return actions.filter(({ diagnostics }) => diagnostics?.some((one) => key(one) === key(found)));
}

export function actionsAt(client: LSPClient, uri: string, range: Range, only?: string[]): Promise<CodeAction[] | null> {
  return client.request("textDocument/codeAction", { textDocument: { uri }, range, context: { diagnostics: [], only } });
}

/// Makes an action's changes. False: there are some in files that are not open.
export function applyAction(view: EditorView, action: CodeAction): boolean {
  const uri = LSPPlugin.get(view)?.uri;
  const changes = action.edit?.changes ?? {};
  if (uri === undefined || Object.keys(changes).some((one) => one !== uri)) return false;
  view.dispatch({ changes: changesOf(view.state.doc, changes[uri] ?? []), userEvent: "input.fix", scrollIntoView: true });
  view.focus();
  return true;
}

/// `tell` gets the numbers of errors and of warnings, after each analysis.
export function serverMessages(tell: (errors: number, warnings: number) => void): LSPClientExtension {
  const publish = async (client: LSPClient, uri: string, version: number | undefined, all: Found[]) => {
    const file = client.workspace.getFile(uri);
    const view = file?.getView();
    const plugin = view && LSPPlugin.get(view);
    const current = () => plugin && LSPPlugin.get(view) === plugin && plugin.unsyncedChanges.empty && (version ?? file?.version) === file?.version;
    if (!view || !current()) return;
    const doc = view.state.doc;
    const whole = { start: positionOf(doc, 0), end: positionOf(doc, doc.length) };
    const actions = all.length === 0 ? [] : await actionsAt(client, uri, whole, ["quickfix"]).catch(() => null) ?? [];
    if (!current() || view.state.doc !== doc) return; // another text is on its way
    const messages = all.map((found): Diagnostic => {
      const fixes = fixesOf(found, actions).map((action): Action => ({
        name: action.title,
        apply: (shown) => void (shown.state.doc === doc && applyAction(shown, action)),
      }));
      return {
        from: offsetOf(doc, found.range.start),
        to: offsetOf(doc, found.range.end),
        severity: severities[found.severity ?? 1] ?? "error",
        source: found.code,
        message: found.message,
        markClass: found.tags?.includes(1) ? "unused" : undefined,
        actions: fixes,
      };
    });
    view.dispatch(setDiagnostics(view.state, messages));
    tell(all.filter(({ severity }) => severity === 1).length, all.filter(({ severity }) => severity === 2).length);
  };
  return {
    clientCapabilities: { textDocument: { publishDiagnostics: { versionSupport: true, tagSupport: { valueSet: [1] } } } },
    notificationHandlers: {
      "textDocument/publishDiagnostics": (client, { uri, version, diagnostics }) => {
        void publish(client, uri, version, diagnostics);
        return true;
      },
    },
  };
}
