import { StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/// Colours by the server's semantic tokens, which cover all words, numbers, strings and comments.

export interface Legend {
  tokenTypes: string[];
  tokenModifiers: string[];
}
export interface Token {
  from: number;
  to: number;
  classes: string;
}

/// The protocol's five numbers a token, the place of each relative to the one before. Tokens that do not fit
/// into the document are left out.
export function decodeTokens(data: readonly number[], legend: Legend, doc: Text): Token[] {
  const tokens: Token[] = [];
  let line = 0;
  let character = 0;
  for (let i = 0; i + 4 < data.length; i += 5) {
    character = data[i] === 0 ? character + data[i + 1] : data[i + 1];
    line += data[i];
    if (line >= doc.lines) break;
    const { from: start, to: end } = doc.line(line + 1);
    const from = start + character;
    const to = from + data[i + 2];
    const type = legend.tokenTypes[data[i + 3]];
    if (type === undefined || to > end || from >= to) continue;
    const modifiers = legend.tokenModifiers.filter((_, bit) => (data[i + 4] >> bit) & 1);
    tokens.push({ from, to, classes: [type, ...modifiers].map((word) => `tok-${word}`).join(" ") });
  }
  return tokens;
}

const marks = new Map<string, Decoration>();
function markOf(classes: string): Decoration {
  let mark = marks.get(classes);
  if (mark === undefined) marks.set(classes, (mark = Decoration.mark({ class: classes })));
  return mark;
}

export const setTokens = StateEffect.define<Token[]>();

export const tokenColours = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setTokens)) return Decoration.set(effect.value.map(({ from, to, classes }) => markOf(classes).range(from, to)));
    }
    return set.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});
