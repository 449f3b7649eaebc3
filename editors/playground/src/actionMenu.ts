import { LSPPlugin } from "@codemirror/lsp-client";
import { StateEffect, StateField } from "@codemirror/state";
import { type Command, type EditorView, showTooltip, type Tooltip } from "@codemirror/view";

import { actionsAt, applyAction, type CodeAction } from "./diagnostics";
import { positionOf } from "./positions";

/// A menu of what the server can change where the cursor is: fixes, refactorings, imports.

const setMenu = StateEffect.define<Tooltip | null>();

export const actionMenu = StateField.define<Tooltip | null>({
  create: () => null,
  update(menu, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMenu)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : menu;
  },
  provide: (field) => showTooltip.from(field),
});

function menuOf(view: EditorView, actions: readonly CodeAction[]): HTMLElement {
  const menu = document.createElement("div");
  menu.className = "menu";
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", "Changes");
  const close = () => {
    view.dispatch({ effects: setMenu.of(null) });
    view.focus();
  };
  for (const action of actions) {
    const item = menu.appendChild(document.createElement("button"));
    item.type = "button";
    item.setAttribute("role", "menuitem");
    item.textContent = action.title;
    item.addEventListener("click", () => {
      close();
      if (!applyAction(view, action)) LSPPlugin.get(view)?.reportError("This reaches into other files", "the page changes the open one only");
    });
  }
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children] as HTMLElement[];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (to !== undefined) items.at(to % items.length)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (menu.contains(relatedTarget as Node | null)) return;
    setTimeout(() => menu.isConnected && view.dispatch({ effects: setMenu.of(null) })); // not while the view takes it away
  });
  return menu;
}

export const openActionMenu: Command = (view) => {
  const plugin = LSPPlugin.get(view);
  if (!plugin) return false;
  plugin.client.sync();
  const { doc, selection: { main } } = view.state;
  const range = { start: positionOf(doc, main.from), end: positionOf(doc, main.to) };
  void actionsAt(plugin.client, plugin.uri, range).then((actions) => {
    if (view.state.doc !== doc) return;
    if (!actions?.length) return plugin.reportError("Nothing to change here", "no fix and no refactoring applies");
    const dom = menuOf(view, actions);
    const tooltip: Tooltip = {
      pos: main.head,
      create: () => ({ dom, mount: () => (dom.firstElementChild as HTMLElement).focus() }),
    };
    view.dispatch({ effects: setMenu.of(tooltip) });
  }, (error) => plugin.reportError("No answer", error));
  return true;
};
