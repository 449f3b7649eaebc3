"""Three small real trainings for tune_bench.py: data that comes with scikit-learn, models that go on from
where they were. Needs numpy and scikit-learn.

Each has a space, in order: name -> ("float" | "log" | "int" | "intlog", low, high) with `high` left out as in
the language, or a list; a greatest resource; and a class whose objects train up to a resource and give their loss on
a fifth of the data that they do not learn from. The same parameters always give the same loss.
"""

import json
import math
import os
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
SEED = 7
WORST = 1e6


def parts(load):
    """Data shuffled and cut, as examples/digits does: a fifth to judge on, a fifth left alone, the rest."""
    x, y = load(return_X_y=True)
    order = np.random.default_rng(SEED).permutation(len(x))
    x, y = x[order], y[order]
    fifth = len(x) // 5
    mean, scale = x[2 * fifth :].mean(axis=0), x[2 * fifth :].std(axis=0) + 1e-9
    x = (x - mean) / scale
    return x[2 * fifth :], y[2 * fifth :], x[:fifth], y[:fifth]


class Digits:
    """Softmax regression by stochastic gradient descent on pictures of digits: the model of
    examples/digits, with momentum, decay of weights and batches."""

    space = {
        "rate": ("log", 0.001, 3.0),
        "momentum": ("float", 0.0, 0.99),
        "decay": ("log", 1e-6, 0.1),
        "batch": ("intlog", 8, 257),
    }
    grid = 3  # points of each range
    least = 1
    most = 27  # epochs
    load = staticmethod(load_digits)
    data = None

    def __init__(self, rate, momentum, decay, batch):
        self.settings = rate, momentum, decay, int(batch)
        self.done = 0
        self.weights = np.zeros((65, 10))
        self.speed = np.zeros((65, 10))

    def train(self, epochs):
        x, y, xv, yv = self.data
        rate, momentum, decay, batch = self.settings
        x = np.hstack([x, np.ones((len(x), 1))])
        wanted = np.eye(10)[y]
        with np.errstate(all="ignore"):
            for epoch in range(self.done, epochs):
                order = np.random.default_rng((SEED, epoch)).permutation(len(x))
                for at in range(0, len(x), batch):
                    rows = order[at : at + batch]
                    scores = x[rows] @ self.weights
                    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
                    powers /= powers.sum(axis=1, keepdims=True)
                    slope = x[rows].T @ (powers - wanted[rows]) / len(rows)
                    self.speed = momentum * self.speed - rate * (slope + decay * self.weights)
                    self.weights = self.weights + self.speed
            self.done = epochs
            scores = np.hstack([xv, np.ones((len(xv), 1))]) @ self.weights
            scores -= scores.max(axis=1, keepdims=True)
            chances = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -float(chances[np.arange(len(yv)), yv].mean())


class Cancer:
    """A neural network with one hidden layer that tells tumours apart."""

    space = {
        "hidden": ("intlog", 4, 65),
        "rate": ("log", 1e-4, 0.1),
        "alpha": ("log", 1e-6, 1.0),
        "batch": ("int", 16, 129),
        "activation": ["relu", "tanh", "logistic"],
    }
    grid = 3
    least = 1
    most = 9  # epochs
    load = staticmethod(load_breast_cancer)
    data = None

    def __init__(self, hidden, rate, alpha, batch, activation):
        self.done = 0
        self.model = MLPClassifier(
            (int(hidden),), activation=activation, alpha=alpha, batch_size=int(batch), learning_rate_init=rate,
            random_state=np.random.RandomState(SEED),
        )

    def train(self, epochs):
        x, y, xv, yv = self.data
        for _ in range(self.done, epochs):
            self.model.partial_fit(x, y, classes=[0, 1])
        self.done = epochs
        return log_loss(yv, self.model.predict_proba(xv))


class Diabetes:
    """Boosted trees that foretell the progress of a disease; their number is the resource."""

    space = {
        "rate": ("log", 0.01, 1.0),
        "depth": ("int", 1, 9),
        "subsample": ("float", 0.3, 1.0),
        "leaf": ("intlog", 1, 41),
        "features": ["all", "root", "third"],
    }
    grid = 3
    least = 3
    most = 81  # trees
    load = staticmethod(load_diabetes)
    data = None

    def __init__(self, rate, depth, subsample, leaf, features):
        self.model = GradientBoostingRegressor(
            learning_rate=rate, max_depth=int(depth), subsample=subsample, min_samples_leaf=int(leaf),
            max_features={"all": None, "root": "sqrt", "third": 0.34}[features],
            random_state=np.random.RandomState(SEED), warm_start=True,
        )

    def train(self, trees):
        x, y, xv, yv = self.data
        self.model.set_params(n_estimators=trees)
        self.model.fit(x, y)
        return float(np.sqrt(np.mean((self.model.predict(xv) - yv) ** 2)))


TRAININGS = {"digits": Digits, "cancer": Cancer, "diabetes": Diabetes}
for training in TRAININGS.values():
    training.data = parts(training.load)


class Trainer:
    """Trains, and keeps in a file, a line each, what every training cost and came to: one that was made before, with
    the same parameters from and up to the same resource, is looked up."""

    def __init__(self, table):
        self.table = table
        self.known = {}
        if os.path.exists(table):
            with open(table) as lines:
                for line in lines:
                    key, loss, cpu = json.loads(line)
                    self.known[json.dumps(key)] = loss, cpu

    def train(self, name, settings, fitted, before, upto):
        """The model (None: as long as nobody needs it), its loss, CPU seconds."""
        key = [name, settings, before, upto]
        found = self.known.get(json.dumps(key))
        if found:
            return None, *found
        if fitted is None:
            fitted = TRAININGS[name](**settings)
            if before:
                fitted.train(before)
        begun = time.process_time()
        loss = fitted.train(upto)
        cpu = time.process_time() - begun
        # One that diverged is worse than all others, so that no method sees a failed trial.
        loss = loss if math.isfinite(loss) and loss < WORST else WORST
        self.known[json.dumps(key)] = loss, cpu
        with open(self.table, "a") as out:
            print(json.dumps([key, loss, cpu]), file=out)
        return fitted, loss, cpu
