"""The other side of tune_bench.py, run by a Python that has numpy, scikit-learn and, for `study`, optuna.

    tune_peers.py serve TABLE REQUESTS LOG      trains for the steps of `couler run`: a line on the FIFO REQUESTS is
                                                REPLY TRAINING RESOURCE START MODEL name=value...; the loss goes to
                                                the FIFO REPLY, a line on what it cost to the file LOG
    tune_peers.py study TABLE TRAINING SEEDS TRIALS
                                                Optuna's methods; prints an object a method and seed
    tune_peers.py space                         prints the spaces
    tune_peers.py overhead TRIALS DATABASE      prints Optuna's own seconds a trial, without and with a database

TABLE is where trainings are kept (tune_trainings.py).
"""

import json
import os
import pickle
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from tune_trainings import TRAININGS, Trainer


def serve(table, requests, log):
    trainer = Trainer(table)
    with open(os.open(requests, os.O_RDWR)) as lines:
        for line in lines:
            reply, name, resource, start, model, *words = line.split()
            settings = {}
            for word in words:
                key, _, value = word.partition("=")
                kind = TRAININGS[name].space[key][0]
                settings[key] = float(value) if kind in ("float", "log") else int(value) if kind in ("int", "intlog") else value
            fitted, before = None, 0
            if start != "-":
                with open(start, "rb") as source:
                    fitted, before = pickle.load(source)
            fitted, loss, cpu = trainer.train(name, settings, fitted, before, int(resource))
            if model != "-":
                with open(model, "wb") as out:
                    pickle.dump((fitted, int(resource)), out)
            with open(log, "a") as out:
                print(json.dumps({"loss": loss, "resource": int(resource) - before, "cpu": cpu}), file=out)
            with open(reply, "w") as out:
                print(repr(loss), file=out)


def drawn(trial, space):
    settings = {}
    for name, spec in space.items():
        if isinstance(spec, list):
            settings[name] = trial.suggest_categorical(name, spec)
            continue
        kind, low, high = spec
        if kind.startswith("int"):
            settings[name] = trial.suggest_int(name, low, high - 1, log=kind == "intlog")
        else:
            settings[name] = trial.suggest_float(name, low, high, log=kind == "log")
    return settings


def study(table, name, seeds, trials):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trainer, training = Trainer(table), TRAININGS[name]
    rungs = [training.most]
    while rungs[0] > training.least:
        rungs.insert(0, rungs[0] // 3)
    hyperband = lambda: optuna.pruners.HyperbandPruner(rungs[0], training.most, 3)
    methods = {
        "random": lambda seed: (optuna.samplers.RandomSampler(seed), optuna.pruners.NopPruner()),
        "tpe": lambda seed: (optuna.samplers.TPESampler(seed=seed), optuna.pruners.NopPruner()),
        "hyperband": lambda seed: (optuna.samplers.RandomSampler(seed), hyperband()),
        "hyperband-tpe": lambda seed: (optuna.samplers.TPESampler(seed=seed), hyperband()),
    }
    for method, make in methods.items():
        for seed in range(seeds):
            spent = {"resource": 0, "cpu": 0.0}

            def objective(trial):
                settings = drawn(trial, training.space)
                fitted, before = None, 0
                for resource in rungs if method.startswith("hyperband") else rungs[-1:]:
                    fitted, loss, cpu = trainer.train(name, settings, fitted, before, resource)
                    spent["cpu"] += cpu
                    spent["resource"] += resource - before
                    before = resource
                    trial.report(loss, resource)
                    if resource < training.most and trial.should_prune():
                        raise optuna.TrialPruned()
                return loss

            sampler, pruner = make(seed)
            search = optuna.create_study(sampler=sampler, pruner=pruner, study_name=f"{name} {method} {seed}")
            search.optimize(objective, n_trials=trials)
            print(json.dumps({"method": method, "seed": seed, "best": search.best_value, **spent}), flush=True)


def overhead(trials, database):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for what, storage in (("in memory", None), ("in SQLite", f"sqlite:///{database}")):
        search = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0), storage=storage)
        begun, cpu = time.perf_counter(), time.process_time()
        search.optimize(lambda trial: trial.suggest_float("rate", 0, 1), n_trials=trials)
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        print(json.dumps({"what": what, "wall": wall / trials, "cpu": cpu / trials}), flush=True)


def space():
    print(json.dumps({
        name: {"space": t.space, "grid": t.grid, "least": t.least, "most": t.most} for name, t in TRAININGS.items()
    }))


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "serve":
        serve(*words)
    elif command == "study":
        study(words[0], words[1], int(words[2]), int(words[3]))
    elif command == "overhead":
        overhead(int(words[0]), words[1])
    else:
        space()
