"""Writes the programs that the benchmarks run, for couler and for its peers.

    generate.py layered STEPS            ten layers of one shared task, three dependencies a step
    generate.py layered-files STEPS      the same with files from step to step
    generate.py program LINES            tasks, functions and workflows, about LINES lines
    generate.py trivial STEPS            independent steps that write one small file each
    generate.py trivial-ninja STEPS      the same for ninja
    generate.py layered-hera STEPS       the layered graph in Hera (prints the YAML when run)
    generate.py trips ROWS               CSV of 14 columns, about 90 bytes a row, as Chicago's taxi trips
"""

import random
import sys

LAYERS = 10
STRIDES = (0, 1, 7)  # step i of a layer reads steps i, i+1 and i+7 of the layer before


def layered(steps):
    width = steps // LAYERS
    out = [
        "couler 1",
        "",
        "task seed(index: int) -> (value: string) {",
        '    image     "busybox:1.36"',
        "    resources { cpu: 1, memory: 128 MiB }",
        "    retry     3",
        '    run sh """',
        '        value="$index"',
        '        """',
        "}",
        "",
        "task mix(a: string, b: string, c: string) -> (value: string) {",
        '    image     "busybox:1.36"',
        "    resources { cpu: 1, memory: 128 MiB }",
        "    retry     3",
        '    run sh """',
        '        value=$(printf "%s %s %s" "$a" "$b" "$c" | cksum)',
        '        """',
        "}",
        "",
        "workflow layered() -> (values: list<string>) {",
        f"    let layer_0 = for i in 0..{width} {{",
        "        seed(i)",
        "    }",
    ]
    for layer in range(1, LAYERS):
        args = ", ".join(
            f"layer_{layer - 1}[{'i' if s == 0 else f'(i + {s}) % {width}'}].value" for s in STRIDES
        )
        out += [f"    let layer_{layer} = for i in 0..{width} {{", f"        mix({args})", "    }"]
    out += [f"    return (values: layer_{LAYERS - 1}.value)", "}"]
    return "\n".join(out) + "\n"


def layered_files(steps):
    text = layered(steps).replace("-> (value: string)", '-> (value: file = "value.txt")')
    text = text.replace("(a: string, b: string, c: string)", "(a: file, b: file, c: file)")
    text = text.replace('value="$index"', 'echo "$index" > "$value"')
    text = text.replace('value=$(printf "%s %s %s" "$a" "$b" "$c" | cksum)', 'cat "$a" "$b" "$c" | cksum > "$value"')
    return text.replace("list<string>", "list<file>")


def layered_hera(steps):
    width = steps // LAYERS
    return f"""
from hera.workflows import DAG, Container, Parameter, Task, Workflow, Resources, RetryStrategy
from hera.workflows.models import Inputs
with Workflow(generate_name="layered-", entrypoint="main") as w:
    step = Container(name="mix", image="busybox:1.36",
                     command=["sh", "-c", 'printf "%s %s" "$A" "$B" | cksum'],
                     inputs=[Parameter(name="a"), Parameter(name="b")],
                     resources=Resources(cpu_request=1, memory_request="128Mi"),
                     retry_strategy=RetryStrategy(limit=3))
    with DAG(name="main"):
        last = []
        for layer in range({LAYERS}):
            now = []
            for i in range({width}):
                t = Task(name=f"s-{{layer}}-{{i}}", template=step,
                         arguments={{"a": str(i), "b": str(layer)}})
                if last:
                    t.dependencies = [last[(i + s) % {width}].name for s in {STRIDES}]
                now.append(t)
            last = now
print(w.to_yaml(), end="")
"""


def program(lines):
    out = ["couler 1", "", "enum Grade { low, middle, high }", ""]
    block = 0
    while len(out) < lines:
        n = block
        out += [
            f"/// Scores part {n}.",
            f"fn score_{n}(x: float, weight: int = {n % 7 + 1}) -> float =",
            f"    (x * {n}.5 + float(weight)) / (1.0 + abs(x)) ** 2",
            "",
            f"/// Reads and reshapes part {n}.",
            f"task part_{n}(source: file<csv>, rows: int, label: string = \"part {n}\")",
            f"    -> (table: file<csv> = \"part_{n}.csv\", mean: float, seen: int)",
            "{",
            f'    image     "registry.example/part:{n}"',
            f"    resources {{ cpu: {n % 4 + 1}, memory: {n % 8 + 1} GiB }}",
            f"    timeout   {n % 50 + 1} min",
            "    retry     2 { backoff: 5 s, on: [transient, oom] }",
            "    env {",
            '        MODE: "fast"',
            "        LABEL: label",
            "    }",
            '    run python """',
            "        import csv",
            "        with open(source) as f:",
            "            seen = min(rows, sum(1 for _ in f))",
            "        mean = seen / 2",
            "        open(table, 'w').write(label)",
            '        """',
            "}",
            "",
            f"workflow flow_{n}(source: file<csv>, rows: int = 1_000, parts: list<int> = [1, 2, 3])",
            "    -> (table: file<csv>, grade: Grade, total: float)",
            "{",
            f"    let first = part_{n}(source, rows)",
            "    let more = for p in parts {",
            f"        part_{n}(first.table, rows: p * {n % 9 + 2}, label: \"part {{p}} of {{length(parts)}}\")",
            "    }",
            f"    let total = sum(more.mean) + score_{n}(first.mean)",
            f"    let grade = if total > {n}.25 and first.seen >= {n % 100} {{",
            "        Grade.high",
            "    } else if total > 1.0 {",
            "        Grade.middle",
            "    } else {",
            "        Grade.low",
            "    }",
            f"    let last = part_{n}(first.table, rows: first.seen) after more",
            "    return (table: last.table, grade: grade, total: total)",
            "}",
            "",
        ]
        block += 1
    out += ["workflow everything(source: file<csv>) -> (total: float) {"]
    out += [f"    let f{i} = flow_{i}(source)" for i in range(block)]
    out += ["    return (total: " + " + ".join(f"f{i}.total" for i in range(block)) + ")", "}"]
    return "\n".join(out) + "\n"


def trivial(steps):
    return f"""couler 1

task touch(index: int) -> (out: file = "out") {{
    run ["sh", "-c", ": > \\"$1\\"", "sh", out, index]
}}

workflow trivial() -> (outs: list<file>) {{
    let all = for i in 0..{steps} {{
        touch(i)
    }}
    return (outs: all.out)
}}
"""


def trivial_ninja(steps):
    rows = ["rule touch", "  command = : > $out", "  description = $out"]
    rows += [f"build out/s{i}: touch" for i in range(steps)]
    return "\n".join(rows) + "\n"


def trips(rows):
    rng = random.Random(7)
    companies = [f"Company {chr(65 + i)} Taxi" for i in range(12)] + ["Flash Cab", "Sun Taxi"]
    payments = ["Cash", "Credit Card", "Mobile", "Unknown"]
    names = ("trip,company,payment,start,seconds,miles,pickup,dropoff,fare,tip,tolls,total,shared,note")
    out = [names]
    for i in range(rows):
        day, seconds = rng.randrange(364), int(rng.expovariate(1 / 800))
        miles, tip = rng.expovariate(0.3), rng.random() * 5 if rng.random() < 0.4 else 0.0
        fare = 3.25 + 2.25 * miles
        start = f"2016-{day // 30 % 12 + 1:02}-{day % 28 + 1:02} {rng.randrange(24):02}:{15 * rng.randrange(4):02}:00"
        out.append(
            f"{i:07x},{rng.choice(companies)},{rng.choices(payments, (50, 40, 8, 2))[0]},{start},"
            f"{seconds},{miles:.2f},{rng.randrange(1, 78) if rng.random() < 0.9 else ''},"
            f"{rng.randrange(1, 78)},{fare:.2f},{tip:.2f},0.0,{fare + tip:.2f},"
            f"{'true' if rng.random() < 0.1 else 'false'},"
            f"{'ok' if rng.random() < 0.3 else ''}"
        )
    return "\n".join(out) + "\n"


KINDS = {
    "layered": layered,
    "layered-files": layered_files,
    "layered-hera": layered_hera,
    "program": program,
    "trips": trips,
    "trivial": trivial,
    "trivial-ninja": trivial_ninja,
}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    sys.stdout.write(KINDS[sys.argv[1]](int(sys.argv[2])))
