/// Command lines of `couler`, as argument vectors: nothing here ever reaches a shell.

export type Verb = "run" | "plan" | "test";

export interface Job {
  command: Verb;
  file: string;
  workflow?: string;
  inputs?: Record<string, string>;
}

export function argumentsOf(job: Job): string[] {
  const file = fileArgument(job.file);
  if (job.command === "test") return ["test", file];
  const result = [job.command, file];
  if (job.workflow !== undefined && job.workflow !== "") result.push(job.workflow);
  for (const [name, value] of Object.entries(job.inputs ?? {})) result.push(`${name}=${value}`);
  return result;
}

/// A file whose name begins with `-` is no option.
export function fileArgument(path: string): string {
  return path.startsWith("-") ? `./${path}` : path;
}

/// `rate=0.1` as a person writes it; undefined where it is no such thing.
export function parseInput(text: string): [string, string] | undefined {
  const found = /^\s*([A-Za-z_]\w*)\s*=(.*)$/s.exec(text);
  return found === null ? undefined : [found[1], found[2].trim()];
}

/// What `tasks.json` says, where it is right.
export function jobOf(definition: Record<string, unknown>): Job | undefined {
  const { command, file, workflow, inputs } = definition;
  if (command !== "run" && command !== "plan" && command !== "test") return undefined;
  if (typeof file !== "string" || file === "") return undefined;
  if (workflow !== undefined && typeof workflow !== "string") return undefined;
  const job: Job = { command, file };
  if (workflow !== undefined) job.workflow = workflow;
  if (typeof inputs === "object" && inputs !== null) {
    job.inputs = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]));
  }
  return job;
}
