"""Edit and run a small real workflow again and again under budgets of the store.

For each policy and budget the same sequence of edits: an edit changes one step's script and output, a
run makes both outputs of the workflow. What is compared with runs that reuse nothing: CPU seconds,
and the outputs, byte by byte. A budget is a share of the bytes of all that one run makes.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess

MODELS = 8
# name, files read, shell (reads $1 $2 …, writes $o), how often it is what was edited
STEPS = [
    ("rows", [], "seq 1 {rows} | awk '{{ x = ($1 * 7919) % 100003; print x \",\" x % 97 \",\" $1 }}' > $o", 1),
    ("clean", ["rows"], "awk -F, '$2 > 3' $i0 > $o", 2),
    ("sorted", ["clean"], "sort -t, -k2,2n -k1,1n $i0 > $o", 2),
    ("keys", ["sorted"], "cut -d, -f1,2 $i0 | sort -u > $o", 2),
    ("wide", ["sorted", "keys"], "sort -t, -k1,1 $i0 > a; sort -t, -k1,1 $i1 | join -t, a - > $o", 2),
]
STEPS += [
    (
        f"model{m}",
        ["wide" if m % 2 else "keys"],
        f"awk -F, '{{{{ for (k = 0; k < {4 + m}; k++) s += sin($1 * k + $2); "
        f'if (NR % 50 == 0) print s }}}}\' $i0 > $o',
        4,
    )
    for m in range(MODELS)
]
STEPS += [
    ("best", [f"model{m}" for m in range(MODELS)], "for f in {files}; do tail -1 $f; done > $o", 2),
    ("report", ["best", "keys"], "cat $i0 > $o; wc -l < $i1 >> $o", 2),
]


def program(edits, rows):
    """The workflow's text; `edits` counts, by step, how often its script was changed."""
    text = ["couler 1", ""]
    for name, reads, shell, _ in STEPS:
        params = ", ".join(f"i{n}: file" for n in range(len(reads)))
        files = " ".join(f"$i{n}" for n in range(len(reads)))
        body = shell.format(rows=rows, files=files)
        text += [
            f"task {name}({params}) -> (o: file = \"{name}.txt\") {{",
            '    run sh """',
            "        export LC_ALL=C",
            "        " + body,
            f"        echo 9,{9 + edits.get(name, 0)},{edits.get(name, 0)} >> $o",
            '        """',
            "}",
            "",
        ]
    text.append("workflow flow() -> (best: file, report: file) {")
    for name, reads, _, _ in STEPS:
        text.append(f"    let {name}_ = {name}({', '.join(f'{r}_.o' for r in reads)})")
    text += ["    return (best: best_.o, report: report_.o)", "}", ""]
    return "\n".join(text)


def run(couler, folder, extra):
    """One run: CPU seconds with those of its steps, how many were reused, the outputs' content."""
    out = folder / "outputs.json"
    argv = [couler, "run", "flow.cwl", "--quiet", "--jobs", "2", "--outputs-json", out, *extra]
    child = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{argv} ended with {child.returncode}")
    last = subprocess.run([couler, "logs", "last"], cwd=folder, check=True, capture_output=True, text=True)
    reused = sum(line.startswith("reused") for line in last.stdout.splitlines())
    outputs = {k: pathlib.Path(v).read_bytes() for k, v in json.loads(out.read_text()).items()}
    return usage.ru_utime + usage.ru_stime, reused, outputs


def bytes_in(folder):
    return sum(f.stat().st_size for f in (folder / ".couler/objects").rglob("*") if f.is_file())


def cycles(couler, work, extra, edits, rows, wanted):
    """The whole sequence; seconds, hits, and the most bytes that a run left."""
    folder = work / "real"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    count, seconds, hits, most, made = {}, 0.0, 0, 0, []
    for n, edited in enumerate([None, *edits]):
        if edited:
            count[edited] = count.get(edited, 0) + 1
        (folder / "flow.cwl").write_text(program(count, rows))
        took, reused, outputs = run(couler, folder, extra)
        most = max(most, bytes_in(folder))
        if n > 0:
            seconds += took
            hits += reused
        made.append(outputs)
        if wanted is not None and outputs != wanted[n]:
            raise SystemExit(f"run {n} of {extra} gave other outputs")
    return {"cpu": seconds, "hits": hits / max(1, len(edits) * len(STEPS)), "bytes": most, "outputs": made}


def measure(couler, work, rounds=12, rows=60_000):
    """Rows of (what, result beside no cache)."""
    draw = random.Random(4)
    names = [name for name, _, _, _ in STEPS]
    edits = draw.choices(names, [weight for _, _, _, weight in STEPS], k=rounds)
    none = cycles(couler, work, ["--force"], edits, rows, None)
    every = cycles(couler, work, [], [], rows, none["outputs"])["bytes"]
    results = []
    for share in (None, 0.35, 0.2):
        for policy in ["keep-all"] if share is None else ["density", "gdsf", "eq6", "lru"]:
            extra = [] if share is None else ["--cache-budget", f"{int(every * share)}B"]
            extra += ["--cache-policy", policy]
            result = cycles(couler, work, extra, edits, rows, none["outputs"])
            what = policy if share is None else f"{policy}, {share:.0%} of {every / 1e6:.1f} MB"
            results.append((what, {**result, "share": result["cpu"] / none["cpu"]}))
    return none, results
