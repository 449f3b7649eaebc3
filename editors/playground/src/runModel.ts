/// A command under way, from what it writes: `couler run --events` says a JSON object a line.

export interface Step {
  name: string;
  task: string;
  state: string; // running, succeeded, reused, failed, skipped, cancelled
  attempt: number;
  at: number; // seconds from the start of the run
  seconds?: number;
  failure?: string;
}
interface RunEvent {
  event: string;
  at: number;
  step?: string;
  task?: string;
  state?: string;
  attempt?: number;
  seconds?: number;
  failure?: string;
  message?: string;
  done?: number;
  total?: number;
  outputs?: Record<string, unknown>;
}

export const mostLines = 5000; // of text that are kept

export class RunModel {
  readonly steps = new Map<string, Step>();
  readonly text: string[] = [];
  left = 0; // lines that were left out
  outputs: Record<string, unknown> | undefined;
  done = 0;
  total = 0;
  code: number | undefined;
  report: string | undefined;
  cancelled = false;

  constructor(readonly command: string) {}

  take(stream: string, lines: readonly string[]): void {
    for (const line of lines) {
      if (stream === "out" && this.command === "run") this.event(line);
      else this.say(line);
    }
  }

  private say(line: string): void {
    this.text.push(line);
    if (this.text.length > mostLines) this.left += this.text.splice(0, mostLines / 10).length;
  }

  private event(line: string): void {
    let event: RunEvent;
    try {
      event = JSON.parse(line) as RunEvent;
    } catch {
      return this.say(line);
    }
    this.done = event.done ?? this.done;
    this.total = event.total ?? this.total;
    if (event.event === "outputs") this.outputs = event.outputs;
    if (event.event === "note" && event.message) this.say(event.message);
    if (event.step === undefined) return;
    const before = this.steps.get(event.step);
    this.steps.set(event.step, {
      name: event.step,
      task: event.task ?? before?.task ?? "",
      state: event.event === "step-retrying" ? "retrying" : event.state ?? "",
      attempt: event.attempt ?? 1,
      at: before?.at ?? event.at,
      seconds: event.event === "step-ended" ? event.seconds : undefined,
      failure: event.failure,
    });
  }

  /// One word for the whole.
  get state(): string {
    if (this.code === undefined) return "running";
    if (this.cancelled && this.code !== 0) return "cancelled";
    return this.code === 0 ? "succeeded" : "failed";
  }
}

/// `name=value`, one a line; lines without `=` are what is wrong with it.
export function inputWords(text: string): { words: string[]; wrong: string[] } {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return {
    words: lines.filter((line) => /^\w+=/.test(line)),
    wrong: lines.filter((line) => !/^\w+=/.test(line)),
  };
}

/// A command line as one would type it.
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/// As text for people: a string as it is, all else as JSON.
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, Array.isArray(value) || (typeof value === "object" && value !== null) ? 1 : 0) ?? "";
}
