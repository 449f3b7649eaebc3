"""The benchmarks of tables for run.py: pipelines beside polars, DuckDB, pyarrow, pandas and numpy,
and CSV. All in one run, one after the other, several times; the least of each counts."""

import json
import math
import random
import subprocess
import sys
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["polars", "duckdb", "pyarrow", "pandas", "numpy"]
# Name, what it is, and how many times the time of the best peer it may take.
PIPELINES = [
    ("arithmetic", "arithmetic with nulls", 1.2),
    ("bucketise", "branchy bucketise", 0.5),
    ("clean", "string clean and regex filter", 1.2),
    ("features", "fused string and numeric features", 0.5),
    ("by_int", "group by 1e5 ints, 3 aggregates", 1.2),
    ("by_string", "group by 1e4 strings, 3 aggregates", 1.2),
    ("joined", "join with 1e5 rows", 1.2),
]


def lines(argv, best):
    """Runs a program that prints an object a pipeline; keeps the least of each time in `best`."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
    for line in done.stdout.splitlines():
        found = json.loads(line)
        seen = best.setdefault(found["name"], found)
        for key in ("wall", "cpu"):
            seen[key] = min(seen[key], found[key])
    return []


def same(ours, theirs):
    if ours["made"] != theirs["made"]:
        return False
    return all(math.isclose(a, b, rel_tol=1e-9) and n == m
               for (a, n), (b, m) in zip(ours["sums"], theirs["sums"], strict=True))


def bench_tables(table, tools, work, repeat, options):
    binary, source = tools / "pipelines", HERE / "pipelines.cwl"
    subprocess.run([binary, "make", work, str(options.rows)], check=True)
    names = [name for name, _, _ in PIPELINES if not options.pipeline or name in options.pipeline]
    for threads in options.threads:
        copies = []
        ours, peers = {}, {peer: {} for peer in PEERS}
        why = {}
        for _ in range(options.rounds):
            copies.append(float(subprocess.check_output([binary, "copy"])))
            failed = lines([binary, "run", source, work, threads, repeat, *names], ours)
            if failed:
                raise SystemExit(f"pipelines: {failed[0]}")
            for peer in PEERS:
                if peer in why or (peer == "numpy" and threads > 1):
                    continue
                argv = [options.peers, HERE / "table_peers.py", peer, work, threads, repeat, *names]
                failed = lines(argv, peers[peer])
                if failed:
                    why[peer] = failed[0]
        for peer, reason in why.items():
            print(f"{peer} is left out: {reason}", flush=True)
        report(table, threads, max(copies), ours, peers)


def report(table, threads, copy, ours, peers):
    # With one thread processor time is what is compared: others use the machine, too.
    clock = "cpu" if threads == 1 else "wall"
    print(f"\n{threads} thread{'s' if threads > 1 else ''}; memcpy {copy / 1e9:.1f} GB/s read and "
          f"written; Mrow/s by {clock} time\n")
    print(f"{'':36} {'couler':>8}" + "".join(f" {peer:>8}" for peer in PEERS) +
          "   / best   CPU s  of copy")
    for name, what, most in PIPELINES:
        if name not in ours:
            continue
        mine = ours[name]
        speeds = [mine["rows"] / mine[clock] / 1e6]
        for peer in PEERS:
            theirs = peers[peer].get(name)
            if theirs and not same(mine, theirs):
                raise SystemExit(f"{name}: {peer} gives other rows:\n{theirs}\n{mine}")
            speeds.append(theirs["rows"] / theirs[clock] / 1e6 if theirs else None)
        others = [speed for speed in speeds[1:] if speed]
        ratio = max(others) / speeds[0] if others else 0.0
        share = mine["bytes"] / mine["wall"] / copy
        ok = ratio <= most
        print(f"{what:36}" + "".join(f" {speed:8.1f}" if speed else f" {'-':>8}" for speed in speeds)
              + f"   {ratio:6.2f} {mine['cpu']:7.3f} {share:7.0%}"
              + ("" if ok else f"   <-- more than {most}"), flush=True)
        table.rows.append({"what": f"{what}, {threads} threads", "cpu": mine["cpu"],
                           "wall": mine["wall"], "target": f"{ratio:.2f} x the best peer (<= {most})",
                           "peers": {peer: peers[peer][name] for peer in PEERS
                                     if name in peers[peer]}, "ok": ok})


def make_csv(path, rows):
    """Rows as csv_peers.py expects them: one in ten of the last cells is quoted."""
    pick = random.Random(7)
    cities = ["Amsterdam", "Utrecht", "Den Haag", "Groningen", "Maastricht"]
    with open(path, "w") as out:
        out.write("id,count,price,ratio,name,city,flag,note\n")
        for row in range(rows):
            note = f"\"a note, of {row}\"" if row % 10 == 0 else f"a note of {row}"
            out.write(f"{row},{pick.randrange(1000)},{pick.random() * 100:.2f},{pick.random():.6f},"
                      f"name {pick.randrange(10**6)},{cities[pick.randrange(5)]},"
                      f"{'true' if pick.random() < 0.5 else 'false'},{note}\n")


def bench_csv(table, tools, work, repeat, options):
    path = work / "typed.csv"
    make_csv(path, max(options.rows * 3 // 10, 1000))
    sys.stdout.flush()
    subprocess.run([sys.executable, HERE / "csv_peers.py", path, tools / "table_read",
                    options.peers], check=True)
