/// What `couler test FILE --diagnostics json` said, sorted by test.

export interface Place {
  line: number; // from 1, as the command counts
  column: number;
}

export interface Finding {
  code: string;
  severity: string;
  file: string;
  range: { start: Place; end: Place };
  message: string;
  notes: string[];
}

export interface KnownTest {
  title: string;
  firstLine: number; // from 1, with the last one
  lastLine: number;
}

export type Outcome =
  | { kind: "passed" }
  | { kind: "failed"; findings: Finding[] }
  | { kind: "errored"; findings: Finding[] };

const expectationFailed = "CW0915";

/// One object a line; other lines are none of ours.
export function parseFindings(output: string): Finding[] {
  const result: Finding[] = [];
  for (const line of output.split("\n")) {
    if (!line.startsWith("{")) continue;
    try {
      const one = JSON.parse(line) as Finding;
      if (typeof one.code === "string" && typeof one.message === "string") result.push(one);
    } catch {
      // cut off
    }
  }
  return result;
}

/// A program with mistakes runs no test: then each test has these mistakes.
export function outcomes(tests: readonly KnownTest[], findings: readonly Finding[]): Outcome[] {
  const mistakes = findings.filter((one) => one.severity === "error" && one.code !== expectationFailed);
  if (mistakes.length > 0) return tests.map(() => ({ kind: "errored", findings: mistakes }));
  return tests.map((test) => {
    const own = findings.filter(
      (one) =>
        one.code === expectationFailed &&
        one.range.start.line >= test.firstLine &&
        one.range.start.line <= test.lastLine,
    );
    return own.length === 0 ? { kind: "passed" } : { kind: "failed", findings: own };
  });
}

/// For people: the expectation, and what its sides were.
export function describe(finding: Finding): string {
  const said = finding.message.replace(/^in test ".*": /s, "");
  return [said, ...(finding.notes ?? [])].join("\n");
}
