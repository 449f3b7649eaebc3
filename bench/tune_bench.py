"""The benchmark of searches for run.py: `tune` beside Optuna on three small real trainings, all in one run.

Every loss is that of a real training. Couler's trials are steps of real runs whose scripts ask a process that has
the libraries loaded (tune_peers.py), since starting Python and them takes ten times as long as a training.
"""

import contextlib
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# Method here, and Optuna's that it must not be worse than.
PAIRS = [
    ("random", "random"),
    ("sobol", "random"),
    ("tpe", "tpe"),
    ("asha", "hyperband"),  # both with a bracket for each rung
]


def is_choice(spec):
    return all(isinstance(item, str) for item in spec)


def words_of(spec):
    if is_choice(spec):
        return "in [" + ", ".join(json.dumps(item) for item in spec) + "]"
    kind, low, high = spec
    return f"in log({low} .. {high})" if kind.endswith("log") else f"in {low} .. {high}"


def type_of(spec):
    if is_choice(spec):
        return "string"
    return "int" if spec[0].startswith("int") else "float"


def program(name, about, method, trials):
    """A search of one training, seeded by the workflow's input."""
    space = about["space"]
    rungs = method.startswith("asha")
    count = about["most"] // about["least"]
    brackets = {"asha": 1 + round(math.log(count, 3)), "asha, 2 brackets": 2}.get(method, 1)
    params = ", ".join(f"{key}: {type_of(spec)}" for key, spec in space.items())
    model = 'model: file = "model.pickle", ' if rungs else ""
    shown = " ".join(f"{key}=${key}" for key in space)
    using = f"points: {about['grid']}" if method == "grid" else f"trials: {trials}, seed: seed"
    if rungs:
        using += f", min: {about['least']}, max: {about['most']}, brackets: {brackets}, resource: upto"
        using += ", resume: start, checkpoint: model"
    searched = ",\n".join(f"        {key}: {words_of(spec)}" for key, spec in space.items())
    return f'''couler 1

task training({params}, upto: int = {about["most"]}, start: file? = none) -> ({model}loss: float) {{
    run sh """
        mkfifo reply
        echo "$PWD/reply {name} $upto ${{start:--}} {"$model" if rungs else "-"} {shown}" > "$TRAININGS"
        read -r loss < reply
        rm reply
        """
}}

workflow search(seed: int) -> (loss: float) {{
    let best = tune training(
{searched},
    )
        minimize loss using {method.split(",")[0]}({using})
    return (loss: best.loss)
}}
'''


@contextlib.contextmanager
def server(python, table, work):
    requests = work / "requests"
    os.mkfifo(requests)
    log = work / "trainings.jsonl"
    child = subprocess.Popen([python, HERE / "tune_peers.py", "serve", table, requests, log])
    try:
        yield {**os.environ, "TRAININGS": str(requests)}, log
    finally:
        child.terminate()
        child.wait()


def search(couler, work, environment, log, text, seed):
    """The best loss of a run, and what its trainings cost."""
    source, out = work / "search.cwl", work / "out.json"
    source.write_text(text)
    log.write_text("")
    argv = [couler, "run", source, f"seed={seed}", "--jobs", "1", "--quiet", "--store", work / "store",
            "--outputs-json", out]
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(work / "store")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return {
        "best": json.loads(out.read_text())["loss"],
        "resource": sum(line["resource"] for line in lines),
        "cpu": sum(line["cpu"] for line in lines),
        "trainings": len(lines),
    }


def middle(results, key="best"):
    return statistics.median(result[key] for result in results)


def chance(mine, other):
    """How likely losses as much greater than the others' are by chance: a rank-sum test, one-sided."""
    a, b = [r["best"] for r in mine], [r["best"] for r in other]
    wins = sum((x > y) + (x == y) / 2 for x in a for y in b)
    spread = math.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12)
    return math.erfc((wins - len(a) * len(b) / 2) / spread / math.sqrt(2)) / 2


def show(what, results, most):
    best = sorted(result["best"] for result in results)
    quarter = len(best) // 4
    print(f"  {what:22} best {middle(results):9.5f}  ({best[quarter]:9.5f} .. {best[-quarter - 1]:9.5f})  "
          f"{middle(results, 'resource') / most:6.1f} full trainings  {middle(results, 'cpu'):6.2f} CPU s", flush=True)
    return middle(results)


def compare(table, couler, work, environment, log, options, name, about):
    """Best losses at equal trials, median over seeds."""
    print(f"{name}: {options.trials} trials, median (quartiles) of {options.seeds} seeds", flush=True)
    lines = subprocess.check_output(
        [options.peers, HERE / "tune_peers.py", "study", options.trainings, name, str(options.seeds), str(options.trials)], text=True)
    theirs = {}
    for line in map(json.loads, lines.splitlines()):
        theirs.setdefault(line["method"], []).append(line)
    ours = {}
    for method in ("random", "sobol", "tpe", "asha", "asha, 1 bracket"):
        text = program(name, about, method, options.trials)
        ours[method] = [search(couler, work, environment, log, text, seed) for seed in range(options.seeds)]
    for method, results in ours.items():
        show(f"couler {method}", results, about["most"])
    for method, results in theirs.items():
        show(f"optuna {method}", results, about["most"])
    for method, peer in PAIRS:
        mine, other = middle(ours[method]), middle(theirs[peer])
        cost = {"cpu": middle(ours[method], "cpu"), "wall": 0.0, "mb": 0.0}
        p = chance(ours[method], theirs[peer])
        # Two samples of the same differ, too: worse is what is not so by chance.
        ok = mine <= other or p > 0.05
        table.add(f"{name}: best of {method}", cost, f"{mine:.5f}, Optuna's {peer} {other:.5f} (worse by chance: {p:.2f})", ok)


def against_grid(table, couler, work, environment, log, options, name, about):
    """Whether asha comes as far as a grid with as many trials as a third of the grid's resource pays for."""
    method = "asha, 2 brackets"
    grid = search(couler, work, environment, log, program(name, about, "grid", 0), 0)
    one = search(couler, work, environment, log, program(name, about, method, 100), 0)
    trials = int(100 * grid["resource"] / 3 / one["resource"])
    text = program(name, about, method, trials)
    results = [search(couler, work, environment, log, text, seed) for seed in range(options.seeds)]
    best = middle(results)
    cost = {key: middle(results, key) / grid[key] for key in ("resource", "cpu")}
    show(f"couler grid, {grid['trainings']}", [grid], about["most"])
    show(f"couler asha, {trials}", results, about["most"])
    ok = best <= grid["best"] and cost["resource"] <= 0.34
    table.add(f"{name}: asha and a grid of {grid['trainings']}", {"cpu": middle(results, "cpu"), "wall": 0.0, "mb": 0.0},
              f"{best:.5f}, grid {grid['best']:.5f}; {cost['resource']:.2f} of its resource, {cost['cpu']:.2f} of its CPU s", ok)


TRIVIAL = '''couler 1

task trivial(rate: float) -> (loss: float) {{
    run sh """
        loss=$rate
        """
}}

workflow search(seed: int = 0) -> (loss: float) {{
    let best = tune trivial(rate: in 0.0 .. 1.0) minimize loss using {}(trials: {})
    return (loss: best.loss)
}}
'''


def bench_overhead(table, couler, work, options, measure):
    trials = 200
    child = measure(["sh", "-c", f"i=0; while [ $i -lt {trials} ]; do sh -c 'loss=1'; i=$((i + 1)); done"], repeat=5)
    start = measure([couler, "version"], repeat=5)
    for method in ("sobol", "tpe"):
        source = work / f"trivial-{method}.cwl"
        source.write_text(TRIVIAL.format(method, trials))
        argv = [couler, "run", source, "--jobs", "1", "--quiet", "--store", work / "trivial"]
        result = measure(argv, repeat=5, before=lambda: shutil.rmtree(work / "trivial", ignore_errors=True))
        own = {key: (result[key] - child[key] - start[key]) / trials for key in ("cpu", "wall")}
        ok = own["cpu"] <= 0.005 and own["wall"] <= 0.005
        table.add(f"overhead of a trial, {method}, {trials} trials", {**own, "mb": result["mb"]},
                  f"{1000 * own['wall']:.2f} ms (<= 5 ms)", ok)
    peer = [options.peers, HERE / "tune_peers.py", "overhead", str(trials), str(work / "optuna.db")]
    for line in map(json.loads, subprocess.check_output(peer, text=True).splitlines()):
        table.add(f"  Optuna TPE, {line['what']}", {**line, "mb": 0.0}, f"{1000 * line['wall']:.2f} ms")


def bench_tune(table, tools, work, repeat, options):
    from run import measure

    options.trainings = options.trainings or work / "trainings.table"
    peers = [options.peers, HERE / "tune_peers.py"]
    couler = tools / "couler"
    if subprocess.run([options.peers, "-c", "import optuna, sklearn"], capture_output=True).returncode != 0:
        raise SystemExit("tune: --peers must be a Python that has optuna and scikit-learn")
    if not options.training:
        bench_overhead(table, couler, work, options, measure)
    spaces = json.loads(subprocess.check_output([*peers, "space"], text=True))
    with server(options.peers, options.trainings, work) as (environment, log):
        for name, about in spaces.items():
            if options.training and name not in options.training:
                continue
            compare(table, couler, work, environment, log, options, name, about)
            against_grid(table, couler, work, environment, log, options, name, about)
