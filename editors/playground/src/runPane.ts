import { duration, RunModel, shellLine, type Step, valueText } from "./runModel";

const mostRows = 500;

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className = "", text = ""): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/// Shows a command under way and what came of it.
export class RunPane {
  private model: RunModel | undefined;
  private rows = new Map<string, HTMLTableRowElement>();
  private changed = false;
  private shown = 0; // lines of text
  private readonly line = element("code", "line");
  private readonly badge = element("span", "badge");
  private readonly meter = element("progress");
  private readonly count = element("span", "soft");
  private readonly report = element("a", "button", "Report");
  private readonly cancel = element("button", "", "Cancel");
  private readonly outputs = element("dl", "outputs");
  private readonly table = element("table", "steps");
  private readonly text = element("pre", "text");

  constructor(private readonly root: HTMLElement, onCancel: () => void) {
    this.meter.setAttribute("aria-label", "Steps that are done");
    this.badge.setAttribute("role", "status");
    this.report.target = "_blank";
    this.report.rel = "noopener";
    this.cancel.type = "button";
    this.cancel.id = "cancel";
    this.text.tabIndex = 0;
    this.cancel.addEventListener("click", () => {
      if (this.model) this.model.cancelled = true;
      this.cancel.disabled = true;
      onCancel();
    });
    this.clear();
  }

  get busy(): boolean {
    return this.model !== undefined && this.model.code === undefined;
  }

  clear(): void {
    this.model = undefined;
    this.root.replaceChildren(element("p", "hint", "Run the program, and its steps and outputs are shown here."));
  }

  begin(command: string): void {
    this.model = new RunModel(command);
    this.rows.clear();
    this.shown = 0;
    for (const one of [this.outputs, this.table, this.text, this.line]) one.replaceChildren();
    this.cancel.disabled = false;
    const head = element("div", "head");
    head.append(this.badge, this.meter, this.count, this.report, this.cancel);
    this.root.replaceChildren(this.line, head, this.outputs, this.table, this.text);
    this.show(this.model);
  }

  started(words: readonly string[]): void {
    this.line.textContent = `$ ${shellLine(words)}`;
  }

  lines(stream: string, lines: readonly string[]): void {
    this.model?.take(stream, lines);
    this.later();
  }

  ended(code: number, report: string | undefined): void {
    if (!this.model) return;
    this.model.code = code;
    this.model.report = report;
    this.later();
  }

  /// Many events come at once: the page is drawn once a frame.
  private later(): void {
    if (this.changed) return;
    this.changed = true;
    requestAnimationFrame(() => {
      this.changed = false;
      if (this.model) this.show(this.model);
    });
  }

  private show(model: RunModel): void {
    const running = model.code === undefined;
    this.badge.className = `badge ${model.state}`;
    this.badge.textContent = model.state;
    this.meter.hidden = !running || model.command !== "run";
    if (model.total > 0) this.meter.max = model.total, this.meter.value = model.done;
    this.count.textContent = model.total > 0 ? `${model.done} of ${model.total} ${model.total === 1 ? "step" : "steps"}` : "";
    this.cancel.hidden = !running;
    this.report.hidden = model.report === undefined;
    if (model.report !== undefined) this.report.href = model.report;
    this.showSteps(model);
    this.showOutputs(model);
    this.showText(model);
  }

  private showSteps(model: RunModel): void {
    for (const step of model.steps.values()) {
      let row = this.rows.get(step.name);
      if (row === undefined) {
        if (this.rows.size === mostRows) continue;
        row = this.table.insertRow();
        this.rows.set(step.name, row);
      }
      fill(row, step);
    }
    const more = model.steps.size - this.rows.size;
    if (more > 0) (this.table.caption ?? this.table.createCaption()).textContent = `and ${more} more: the report has all`;
  }

  private showOutputs({ outputs }: RunModel): void {
    if (outputs === undefined || this.outputs.hasChildNodes()) return;
    for (const [name, value] of Object.entries(outputs)) this.outputs.append(element("dt", "", name), element("dd", "", valueText(value)));
  }

  private showText(model: RunModel): void {
    const all = model.left + model.text.length;
    if (all === this.shown) return;
    const atEnd = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 40;
    if (model.left > 0 || this.shown === 0) {
      this.text.textContent = (model.left > 0 ? `… ${model.left} lines before\n` : "") + model.text.join("\n") + "\n";
    } else {
      this.text.append(model.text.slice(this.shown).join("\n") + "\n");
    }
    this.shown = all;
    if (atEnd && model.command === "run") this.root.scrollTop = this.root.scrollHeight;
  }
}

function fill(row: HTMLTableRowElement, step: Step): void {
  const note = step.failure ?? (step.attempt > 1 ? `attempt ${step.attempt}` : "");
  const cells = [step.name, step.task === step.name ? "" : step.task, step.state, step.seconds === undefined ? "" : duration(step.seconds), note];
  const key = cells.join("\n");
  if (row.dataset.key === key) return;
  row.dataset.key = key;
  row.className = step.state;
  row.replaceChildren(...cells.map((text, i) => element("td", ["name", "task", "state", "time", "note"][i], text)));
}
