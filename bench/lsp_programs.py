"""Programs of about as many lines in several languages, for lsp_bench.py: blocks of functions, types
and calls, each with a place that is edited, one to complete and one to hover over."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import generate  # noqa: E402

GO_BLOCK = """
// Score{n} scores part {n}.
func Score{n}(x float64, weight int) float64 {{
	return (x*{n}.5 + float64(weight)) / (1.0 + x*x)
}}

// Part{n} is part {n} of the whole.
type Part{n} struct {{
	Table string
	Mean  float64
	Seen  int
}}

// ReadPart{n} reads and reshapes part {n}.
func ReadPart{n}(source string, rows int, label string) (Part{n}, error) {{
	if rows < {n} {{
		return Part{n}{{}}, fmt.Errorf("part {n}: %d rows of %s", rows, label)
	}}
	seen := rows / 2
	return Part{n}{{Table: source + label, Mean: float64(seen), Seen: seen}}, nil
}}

// Flow{n} reads all parts and adds them up.
func Flow{n}(source string, parts []int) (float64, error) {{
	first, err := ReadPart{n}(source, 1000, "part {n}")
	if err != nil {{
		return 0, err
	}}
	total := 0.0
	for _, p := range parts {{
		more, err := ReadPart{n}(first.Table, p*{n}, "more")
		if err != nil {{
			return 0, err
		}}
		total += more.Mean
	}}
	if total > {n}.25 && first.Seen >= {n} {{
		total += Score{n}(first.Mean, 1)
	}}
	return total, nil
}}
"""

PYTHON_BLOCK = '''

def score_{n}(x: float, weight: int = 1) -> float:
    """Scores part {n}."""
    return (x * {n}.5 + float(weight)) / (1.0 + abs(x)) ** 2


@dataclass
class Part{n}:
    """Part {n} of the whole."""

    table: str
    mean: float
    seen: int


def read_part_{n}(source: str, rows: int, label: str = "part {n}") -> Part{n}:
    """Reads and reshapes part {n}."""
    if rows < {n}:
        raise ValueError(f"part {n}: {{rows}} rows of {{label}}")
    seen = rows // 2
    return Part{n}(table=source + label, mean=float(seen), seen=seen)


def flow_{n}(source: str, parts: list[int]) -> float:
    """Reads all parts and adds them up."""
    first = read_part_{n}(source, 1000)
    total = 0.0
    for p in parts:
        more = read_part_{n}(first.table, rows=p * {n}, label=f"part {{p}} of {{len(parts)}}")
        total += more.mean
    if total > {n}.25 and first.seen >= {n}:
        total += score_{n}(first.mean)
    return total
'''

CPP_BLOCK = """
/// Scores part {n}.
double score_{n}(double x, int weight = 1) {{
  return (x * {n}.5 + static_cast<double>(weight)) / (1.0 + x * x);
}}

/// Part {n} of the whole.
struct Part{n} {{
  std::string table;
  double mean = 0;
  int seen = 0;
}};

/// Reads and reshapes part {n}.
Part{n} read_part_{n}(const std::string& source, int rows, const std::string& label = "part {n}") {{
  Part{n} part;
  part.seen = rows < {n} ? 0 : rows / 2;
  part.mean = static_cast<double>(part.seen);
  part.table = source + label;
  return part;
}}

/// Reads all parts and adds them up.
double flow_{n}(const std::string& source, const std::vector<int>& parts) {{
  const Part{n} first = read_part_{n}(source, 1000);
  double total = 0;
  for (const int p : parts) {{
    const Part{n} more = read_part_{n}(first.table, p * {n});
    total += more.mean;
  }}
  if (total > {n}.25 && first.seen >= {n}) {{
    total += score_{n}(first.mean);
  }}
  return total;
}}
"""

ARGO_BLOCK = """\
  - name: part-{n}
    inputs:
      parameters:
      - name: source
      - name: rows
        value: "1000"
    container:
      image: registry.example/part:{n}
      command: [python, -c]
      args: ["print({n})"]
      env:
      - name: MODE
        value: fast
      resources:
        requests:
          cpu: "1"
          memory: 2Gi
    retryStrategy:
      limit: "2"
    outputs:
      parameters:
      - name: mean
        valueFrom:
          path: /tmp/mean
"""


class Program:
    """A generated file, and where to work in each of its blocks, as (line, begin, end): `edits` are what
    becomes `broken`, `completes` what to complete, `hovers` the names to ask about. All is ASCII."""

    def __init__(self, name, language, text, edit, complete, hover, broken="missing"):
        self.broken = broken
        self.name, self.language, self.text = name, language, text
        self.lines = text.split("\n")
        self.edits, self.completes, self.hovers = [], [], []
        for number, line in enumerate(self.lines):
            for pattern, found in ((edit, self.edits), (complete, self.completes), (hover, self.hovers)):
                if match := re.search(pattern, line):
                    found.append((number, *match.span(1)))


def blocks(lines, head, block, first=1):
    text, n = head, first
    while text.count("\n") < lines:
        text += block.format(n=n)
        n += 1
    return text


def couler(lines):
    return Program("main.cwl", "couler", generate.program(lines), r"sum\(more\.mean\) \+ (score_\d+)\(",
                   r"let last = part_\d+\(first\.(table)", r"let last = (part_\d+)\(")


def go(lines):
    head = 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("parts")\n}\n'
    return Program("main.go", "go", blocks(lines, head, GO_BLOCK), r"\+= (Score\d+)\(",
                   r"\+= more\.(Mean)", r"more, err := (ReadPart\d+)\(")


def python(lines):
    return Program("main.py", "python", blocks(lines, "from dataclasses import dataclass\n", PYTHON_BLOCK),
                   r"\+= (score_\d+)\(", r"\+= more\.(mean)", r"more = (read_part_\d+)\(")


def cpp(lines):
    head = "#include <string>\n#include <vector>\n"
    return Program("main.cpp", "cpp", blocks(lines, head, CPP_BLOCK), r"\+= (score_\d+)\(",
                   r"\+= more\.(mean)", r"more = (read_part_\d+)\(")


def argo(lines):
    head = ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  generateName: parts-\n"
            "spec:\n  entrypoint: part-1\n  templates:\n")
    return Program("main.yaml", "yaml", blocks(lines, head, ARGO_BLOCK), r"^        value: (fast)",
                   r"^    (container):", r"^    (container):", broken="[a, list]")
