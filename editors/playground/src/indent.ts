import { type IndentContext, indentService, indentUnit } from "@codemirror/language";
import type { Extension } from "@codemirror/state";

const unit = 4;

/// Spaces before a line, from the line with text before it: one step more behind an opening bracket or the
/// start of a script, one less where the line closes one.
export function indentOf(previous: string, line: string): number {
  const base = previous.length - previous.trimStart().length;
  const opens = /(?:[{([]|(?:sh|python) """)\s*(?:\/\/.*)?$/.test(previous);
  const closes = /^\s*[})\]]/.test(line);
  return Math.max(0, base + (opens ? unit : 0) - (closes ? unit : 0));
}

function indent(context: IndentContext, at: number): number {
  const doc = context.state.doc;
  const here = context.lineAt(at, 1);
  const broken = context.simulatedBreak === at;
  let previous = broken ? context.lineAt(at, -1).text : "";
  for (let number = doc.lineAt(at).number - 1; previous.trim() === "" && number >= 1; number -= 1) previous = doc.line(number).text;
  return indentOf(previous, broken ? context.textAfterPos(at, 1) : here.text);
}

export const indentation: Extension = [indentUnit.of(" ".repeat(unit)), indentService.of(indent)];
