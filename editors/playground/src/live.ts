import { LSPPlugin } from "@codemirror/lsp-client";
import type { StateEffect, Text } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

import type { Graph } from "./graph";
import { type Lens, setLenses } from "./lenses";
import { offsetOf, type Range } from "./positions";
import { decodeTokens, type Legend, setTokens } from "./tokens";

/// What follows the text while it is typed: colours, lenses, the graph.

const pause = 90; // milliseconds without a key

interface ServerLens {
  range: Range;
  command?: { title: string; command: string; arguments?: unknown[] };
}

export function live(drawGraph: (graph: Graph | null) => void) {
  return ViewPlugin.fromClass(
    class {
      private timer = setTimeout(() => this.ask(), 0);
      private gone = false;
      constructor(private readonly view: EditorView) {}

      update({ docChanged }: ViewUpdate): void {
        if (!docChanged) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.ask(), pause);
      }
      destroy(): void {
        this.gone = true;
        clearTimeout(this.timer);
      }

      private ask(): void {
        const plugin = LSPPlugin.get(this.view);
        if (!plugin) return;
        const { client, uri } = plugin;
        client.sync();
        const doc = this.view.state.doc;
        /// Answers to a text that is not there any more are dropped: it was asked again.
        const ask = <Result>(method: string, take: (result: Result) => StateEffect<unknown> | undefined) =>
          void client.request<object, Result>(method, { textDocument: { uri } }).then((result) => {
            if (this.gone || this.view.state.doc !== doc) return;
            const effects = take(result);
            if (effects !== undefined) this.view.dispatch({ effects });
          }, (error: unknown) => console.warn(method, error));
        ask<{ data: number[] } | null>("textDocument/semanticTokens/full", (result) => {
          const legend = client.serverCapabilities?.semanticTokensProvider?.legend;
          return result && legend ? setTokens.of(decodeTokens(result.data, legend as Legend, doc)) : undefined;
        });
        ask<ServerLens[] | null>("textDocument/codeLens", (result) => setLenses.of(lensesOf(result ?? [], doc)));
        ask<Graph | null>("couler/graph", (result) => void drawGraph(result));
      }
    },
  );
}

export function lensesOf(lenses: readonly ServerLens[], doc: Text): Lens[] {
  return lenses.flatMap(({ range, command }) => {
    if (command === undefined) return [];
    const at = doc.lineAt(offsetOf(doc, range.start)).from;
    return [{ at, title: command.title, command: command.command, name: String(command.arguments?.[1] ?? "") }];
  });
}
