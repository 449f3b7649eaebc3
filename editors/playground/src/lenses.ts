import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

/// Buttons above workflows and tests: what the server's lenses offer.

export interface Lens {
  at: number; // start of the line that it stands above
  title: string;
  command: string;
  name: string; // of the workflow or test
}

class Row extends WidgetType {
  constructor(private readonly lenses: readonly Lens[], private readonly act: (lens: Lens) => void) {
    super();
  }
  eq(other: Row): boolean {
    const key = (row: Row) => row.lenses.map(({ title, name }) => title + name).join();
    return key(this) === key(other);
  }
  toDOM(): HTMLElement {
    const row = document.createElement("div");
    row.className = "lenses";
    for (const lens of this.lenses) {
      const button = row.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = lens.title;
      button.setAttribute("aria-label", `${lens.title} ${lens.name}`);
      button.addEventListener("click", () => this.act(lens));
    }
    return row;
  }
  ignoreEvent(): boolean {
    return true;
  }
  get estimatedHeight(): number {
    return 18;
  }
}

export const setLenses = StateEffect.define<Lens[]>();

export function lensRows(act: (lens: Lens) => void) {
  return StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(set, transaction) {
      for (const effect of transaction.effects) {
        if (!effect.is(setLenses)) continue;
        const rows = new Map<number, Lens[]>();
        for (const lens of effect.value) rows.set(lens.at, [...(rows.get(lens.at) ?? []), lens]);
        const widgets = [...rows].map(([at, lenses]) => Decoration.widget({ widget: new Row(lenses, act), block: true, side: -1 }).range(at));
        return Decoration.set(widgets, true);
      }
      return set.map(transaction.changes);
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}
