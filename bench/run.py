"""Runs the end-to-end benchmarks beside what a user has today, and prints one table.

    python3 bench/run.py [--build build] [--only NAME] [--repeat N] [--json FILE]
                         [--peers PYTHON] [--rows N] [--threads N]... [--pipeline NAME]...
                         [--seeds N] [--trials N] [--training NAME]... [--trainings FILE] [--files N]

Times are CPU seconds of the process and its children (user + system), the least of N runs; for runs
of many steps also wall seconds. Peers: ninja (the build's own) and, where installed, Hera
(`pip install 'hera[yaml]'`; run once, about a minute). `tables` and `csv` (table_bench.py) and
`stats` compare with what PYTHON has of polars, DuckDB, pyarrow, pandas and numpy; `tables` on
tables of `--rows` rows. `tune` (tune_bench.py) compares with Optuna, of which and of scikit-learn
PYTHON must have a copy; it takes about ten minutes. `lsp` (lsp_bench.py) compares with the language
servers on the PATH or beside PYTHON; `lsp-workspace` looks at a folder of `--files` programs. A row is
marked when it misses its target, and the exit code is then 1.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import cache_real
import shard_bench
import split_bench
from lsp_bench import bench_lsp
from lsp_workspace_bench import bench_lsp_workspace
from table_bench import bench_csv, bench_tables
from tune_bench import bench_tune

HERE = pathlib.Path(__file__).resolve().parent


def measure(argv, cwd=None, repeat=3, before=None, stdout=subprocess.DEVNULL):
    """The least CPU and wall seconds and the peak memory (MB) over `repeat` runs."""
    best = None
    for _ in range(repeat):
        if before:
            before()
        start = time.perf_counter()
        child = subprocess.Popen(argv, cwd=cwd, stdout=stdout, stderr=subprocess.PIPE)
        noise = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if child.returncode != 0:
            raise SystemExit(f"{argv} ended with {child.returncode}:\n{noise.decode()[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        if best is None:
            best = {"cpu": cpu, "wall": wall, "mb": usage.ru_maxrss / 1024}
        best["cpu"] = min(best["cpu"], cpu)
        best["wall"] = min(best["wall"], wall)
        best["mb"] = max(best["mb"], usage.ru_maxrss / 1024)
    return best


def measure_in_turns(runs, repeat, before=None):
    """As `measure`, of several (argv, cwd) that take turns: what else the machine does hits all alike."""
    best = [None] * len(runs)
    for _ in range(repeat):
        for i, (argv, cwd) in enumerate(runs):
            now = measure(argv, cwd=cwd, repeat=1, before=before)
            best[i] = best[i] or now
            best[i] = {k: (max if k == "mb" else min)(best[i][k], now[k]) for k in now}
    return best


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, result, target="", ok=True):
        self.rows.append({"what": what, **result, "target": target, "ok": ok})
        mark = "" if ok else "   <-- misses its target"
        print(
            f"{what:58} {result['cpu']:9.3f} CPU s {result['wall']:8.3f} s {result['mb']:8.1f} MB"
            f"  {target}{mark}",
            flush=True,
        )


def generate(kind, count, path):
    with open(path, "w") as out:
        subprocess.run(
            [sys.executable, HERE / "generate.py", kind, str(count)], stdout=out, check=True
        )


def bench_version(table, tools, work, repeat, options):
    result = measure([tools / "couler", "version"], repeat=max(repeat, 5))
    table.add("couler version", result, "<= 0.005 CPU s", result["cpu"] <= 0.005)


def bench_check(table, tools, work, repeat, options):
    source = work / "program.cwl"
    generate("program", 12000, source)
    result = measure([tools / "couler", "check", source], repeat=repeat)
    ok = result["cpu"] <= 0.35 and result["mb"] <= 150
    table.add("check a program of 12,000 lines", result, "<= 0.35 CPU s, 150 MB", ok)


def bench_emit(table, tools, work, repeat, options):
    times = {}
    for steps in (10_000, 100_000, 1_000_000):
        source = work / f"layered-{steps}.cwl"
        generate("layered", steps, source)
        argv = [tools / "couler", "build", source, "--target", "argo", "--no-split", "-o", work / "out.yaml"]
        result = measure(argv, repeat=max(repeat, 5) if steps <= 100_000 else 2)
        times[steps] = result
        what = f"emit Argo and read it back, {steps:,} steps"
        if steps == 100_000:
            ok = result["cpu"] <= 0.5 and result["mb"] <= 500
            table.add(what, result, "<= 0.5 CPU s, 500 MB", ok)
            table.add("  the same with --no-validate", measure(argv + ["--no-validate"], repeat=repeat))
        elif steps == 1_000_000:
            ratio = result["cpu"] / times[100_000]["cpu"]
            table.add(what, result, f"{ratio:.1f} x 100,000 (<= 13)", ratio <= 13)
        else:
            table.add(what, result)
    floor = measure([tools / "floor", "100000"], repeat=repeat)
    table.add("  floor: the same YAML printed from a loop in C++", floor)
    hera = [sys.executable, "-c", "import hera, yaml"]
    if subprocess.run(hera, capture_output=True).returncode == 0:
        source = work / "layered_hera.py"
        generate("layered-hera", 100_000, source)
        table.add("  Hera, 100,000 steps", measure([sys.executable, source], repeat=1))


def bench_steps(table, tools, work, repeat, options):
    for steps, rerun in ((1000, False), (10_000, True)):
        ours, theirs = work / f"ours-{steps}", work / f"ninja-{steps}"
        ours.mkdir()
        theirs.mkdir()
        generate("trivial", steps, ours / "trivial.cwl")
        generate("trivial-ninja", steps, theirs / "build.ninja")

        def clean():
            shutil.rmtree(ours / ".couler", ignore_errors=True)
            shutil.rmtree(theirs / "out", ignore_errors=True)
            for name in (".ninja_log", ".ninja_deps"):
                (theirs / name).unlink(missing_ok=True)

        run = [tools / "couler", "run", "trivial.cwl", "--jobs", "2", "--quiet"]
        make = ["ninja", "-j2", "--quiet"]
        if rerun:
            clean()
            measure(run, cwd=ours, repeat=1)
            measure(make, cwd=theirs, repeat=1)
            before = None
            what, limit = f"run {steps:,} steps that are up to date", 2.0
        else:
            before = clean
            what, limit = f"run {steps:,} trivial steps, 2 at a time", 1.3
        peer, result = measure_in_turns([(make, theirs), (run, ours)], 3 * repeat, before)
        ratio = result["wall"] / peer["wall"]
        table.add(what, result, f"{ratio:.2f} x ninja (<= {limit}) in wall time", ratio <= limit)
        table.add(f"  ninja -j2, {steps:,} steps", peer)


def bench_store(table, tools, work, repeat, options):
    size = 1 << 30
    path = work / "large.bin"
    with open(path, "wb") as out:
        block = os.urandom(1 << 20)
        for _ in range(size >> 20):
            out.write(block)
    source = work / "large.cwl"
    source.write_text(
        "couler 1\n\ntask size(data: file) -> (n: int) {\n    run sh \"\"\"\n"
        "        n=$(stat -L -c %s \"$data\")\n        \"\"\"\n}\n\n"
        "workflow large(data: file) -> (n: int) {\n    let s = size(data)\n    return (n: s.n)\n}\n"
    )
    argv = [tools / "couler", "run", source, f"data={path}", "--store", work / "s", "--quiet"]
    result = measure(argv, repeat=repeat, before=lambda: shutil.rmtree(work / "s", ignore_errors=True))
    speed = size / result["cpu"] / 1e9
    table.add("take in a file of 1 GiB", result, f"{speed:.2f} GB/CPU-s (>= 2)", speed >= 2)


def bench_stats(table, tools, work, repeat, options):
    path = work / "trips.csv"
    generate("trips", 1_000_000, path)
    size = path.stat().st_size / 1e6
    result = measure([tools / "couler", "data", "stats", path], repeat=max(repeat, 5))
    speed = size / result["cpu"]
    what = f"statistics of a CSV file of {size:.0f} MB, 14 columns"
    table.add(what, result, f"{speed:.0f} MB/CPU-s (>= 100)", speed >= 100)
    for peer in ("pandas", "polars", "duckdb"):
        argv = [options.peers, HERE / "stats_peers.py", peer, path]
        if subprocess.run(argv, capture_output=True).returncode == 3:
            continue
        result = measure(argv, repeat=repeat)
        table.add(f"  {peer}", result, f"{size / result['cpu']:.0f} MB/CPU-s")


def bench_passes(table, tools, work, repeat, options):
    """CPU time of each pass on layers of steps with files between them, and how it grows."""
    times = {}
    for steps in (100_000, 1_000_000):
        source = work / f"files-{steps}.cwl"
        generate("layered-files", steps, source)
        argv = [tools / "couler", "plan", source, "--cache-budget", f"{steps // 50}GB", "--time-passes"]
        for _ in range(repeat if steps == 100_000 else 1):
            ran = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            for line in ran.stderr.splitlines():
                name, ms = line.split()[:2]
                seconds = float(ms) / 1000
                times[name, steps] = min(seconds, times.get((name, steps), seconds))
    for (name, steps), seconds in times.items():
        if steps != 100_000:
            continue
        growth = times[name, 1_000_000] / seconds if seconds >= 0.005 else 0.0  # less is noise
        grows = f", {growth:.0f} x that for 1,000,000 (<= 12)" if growth else ""
        result = {"cpu": seconds, "wall": seconds, "mb": 0}
        table.add(f"pass {name}, 100,000 steps", result, f"<= 0.3 CPU s{grows}", seconds <= 0.3 and growth <= 12)


def bench_cache(table, tools, work, repeat, options):
    """The simulation prints its own tables and misses its targets by its exit code."""
    simulated = subprocess.run([tools / "cache_sim"])
    result = measure([tools / "cache_sim"], repeat=1) if simulated.returncode == 0 else None
    nothing = {"cpu": 0.0, "wall": 0.0, "mb": 0.0}
    table.add("cache policies, simulated", result or nothing, "see above", simulated.returncode == 0)
    none, results = cache_real.measure(tools / "couler", work)
    print(f"real workflow, 12 edits and runs: {none['cpu']:.2f} CPU s with nothing reused")
    for what, result in results:
        print(
            f"  {what:32} {result['cpu']:6.2f} CPU s ({result['share']:.2f}), {result['hits']:4.0%} of steps"
            f" reused, {result['bytes'] / 1e6:5.1f} MB, outputs alike"
        )


def bench_shard(table, tools, work, repeat, options):
    shard_bench.bench_shard(table, tools, work, repeat, measure)


def bench_split(table, tools, work, repeat, options):
    split_bench.bench_split(table, tools, work, repeat, measure, generate)


BENCHES = {
    "shard": bench_shard,
    "split": bench_split,
    "cache": bench_cache,
    "passes": bench_passes,
    "version": bench_version,
    "check": bench_check,
    "emit": bench_emit,
    "steps": bench_steps,
    "store": bench_store,
    "tables": bench_tables,
    "csv": bench_csv,
    "stats": bench_stats,
    "tune": bench_tune,
    "lsp": bench_lsp,
    "lsp-workspace": bench_lsp_workspace,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--only", choices=BENCHES, action="append")
    parser.add_argument("--repeat", default=3, type=int)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--peers", default=sys.executable, help="a Python that has polars and the like")
    parser.add_argument("--rows", default=10_000_000, type=int, help="of the tables")
    parser.add_argument("--rounds", default=2, type=int, help="of all peers of tables in turns")
    parser.add_argument("--threads", default=None, type=int, action="append")
    parser.add_argument("--pipeline", action="append", help="one of the tables' pipelines")
    parser.add_argument("--files", default=5000, type=int, help="of the language server's workspace")
    parser.add_argument("--seeds", default=20, type=int, help="of each search")
    parser.add_argument("--trials", default=50, type=int, help="of each search")
    parser.add_argument("--training", action="append", help="one of the searches' trainings")
    parser.add_argument("--trainings", type=pathlib.Path, help="keep what trainings came to there; go on with it")
    options = parser.parse_args()
    options.threads = options.threads or [1, 2]
    table = Table()
    with tempfile.TemporaryDirectory() as work:
        for name, bench in BENCHES.items():
            if not options.only or name in options.only:
                bench(table, (options.build / "bin").resolve(), pathlib.Path(work), options.repeat,
                      options)
    if options.json:
        options.json.write_text(json.dumps(table.rows, indent=2) + "\n")
    sys.exit(0 if all(row["ok"] for row in table.rows) else 1)


if __name__ == "__main__":
    main()
