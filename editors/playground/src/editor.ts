import { acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import type { LSPClient } from "@codemirror/lsp-client";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";

import { actionMenu, openActionMenu } from "./actionMenu";
import type { Graph } from "./graph";
import { indentation } from "./indent";
import { type Lens, lensRows } from "./lenses";
import { live } from "./live";
import { tokenColours } from "./tokens";

const scheme = new Compartment();

export interface EditorHooks {
  nonce: string;
  dark: boolean;
  changed(): void;
  run(): void;
  save(): void;
  lens(lens: Lens): void;
  graph(drawn: Graph | null): void;
}

const own = EditorState.languageData.of(() => [
  {
    commentTokens: { line: "//" },
    closeBrackets: { brackets: ["(", "[", "{", '"', '"""'] },
    indentOnInput: /^\s*[})\]]$/,
  },
]);

function commands(hooks: EditorHooks): Extension {
  const command = (action: () => void) => () => (action(), true);
  return [
    Prec.highest(keymap.of([
      { key: "Mod-Enter", run: command(hooks.run) },
      { key: "Mod-s", run: command(hooks.save), preventDefault: true },
      { key: "Mod-.", run: openActionMenu },
      { key: "Alt-Enter", run: openActionMenu },
      { key: "Tab", run: acceptCompletion },
    ])),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
  ];
}

/// The state of an editor that shows a program.
export function programState(client: LSPClient, uri: string, text: string, hooks: EditorHooks): EditorState {
  return EditorState.create({
    doc: text,
    extensions: [
      EditorView.cspNonce.of(hooks.nonce),
      scheme.of(EditorView.darkTheme.of(hooks.dark)),
      EditorState.tabSize.of(4),
      text.includes("\r\n") ? EditorState.lineSeparator.of("\r\n") : [], // is saved as it was
      EditorView.contentAttributes.of({ "aria-label": "Program" }),
      EditorView.lineWrapping,
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      highlightSelectionMatches(),
      drawSelection(),
      history(),
      bracketMatching(),
      closeBrackets(),
      indentOnInput(),
      indentation,
      own,
      lintGutter(),
      commands(hooks),
      tokenColours,
      lensRows(hooks.lens),
      actionMenu,
      client.plugin(uri, "couler"),
      live(hooks.graph),
      EditorView.updateListener.of(({ docChanged }) => docChanged && hooks.changed()),
    ],
  });
}

export function setDark(view: EditorView, dark: boolean): void {
  view.dispatch({ effects: scheme.reconfigure(EditorView.darkTheme.of(dark)) });
}
