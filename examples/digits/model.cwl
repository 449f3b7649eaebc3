couler 1

/// Shuffles the rows and cuts them into three fifths, one fifth and one fifth.
task split(images: file, seed: int) -> (
    training: file = "training.csv",
    validation: file = "validation.csv",
    test: file = "test.csv",
) {
    run python """
        import gzip, random

        with gzip.open(images, "rt") as source:
            rows = source.readlines()
        random.Random(seed).shuffle(rows)
        fifth = len(rows) // 5
        for path, part in (
            (validation, rows[:fifth]),
            (test, rows[fifth : 2 * fifth]),
            (training, rows[2 * fifth :]),
        ):
            with open(path, "w") as out:
                out.writelines(part)
        """
}

/// Softmax regression by stochastic gradient descent.
task train(data: file, rate: float, epochs: int, seed: int)
    -> (model: file = "model.json", loss: float)
{
    resources { cpu: 1, memory: 256 MiB }
    timeout   10 min
    run python """
        import json, math, random

        rows = []
        with open(data) as source:
            for line in source:
                *pixels, label = (float(x) for x in line.split(","))
                # Pixels are 0 … 16; the ones that are 0 need no work at all.
                rows.append(([(i, p / 16) for i, p in enumerate(pixels) if p], int(label)))

        width = 64
        weights = [[0.0] * width for _ in range(10)]
        bias = [0.0] * 10
        shuffle = random.Random(seed).shuffle
        for epoch in range(epochs):
            shuffle(rows)
            total = 0.0
            for pixels, label in rows:
                scores = [b + sum(w[i] * p for i, p in pixels) for w, b in zip(weights, bias)]
                top = max(scores)
                powers = [math.exp(s - top) for s in scores]
                norm = sum(powers)
                total -= math.log(powers[label] / norm)
                for k in range(10):
                    step = rate * (powers[k] / norm - (k == label))
                    bias[k] -= step
                    row = weights[k]
                    for i, p in pixels:
                        row[i] -= step * p
            loss = total / len(rows)
            print(f"epoch {epoch + 1}: loss {loss:.4f}")

        with open(model, "w") as out:
            json.dump({"weights": weights, "bias": bias}, out)
        """
}

/// The share of right answers, and how often each digit was taken for each other.
task evaluate(model: file, data: file) -> (accuracy: float, confusion: file = "confusion.txt") {
    run python """
        import json

        with open(model) as source:
            fitted = json.load(source)
        table = [[0] * 10 for _ in range(10)]
        with open(data) as source:
            for line in source:
                *pixels, label = (float(x) for x in line.split(","))
                scores = [
                    b + sum(w * p / 16 for w, p in zip(row, pixels))
                    for row, b in zip(fitted["weights"], fitted["bias"])
                ]
                table[int(label)][scores.index(max(scores))] += 1

        right = sum(table[k][k] for k in range(10))
        accuracy = right / sum(map(sum, table))
        with open(confusion, "w") as out:
            out.write("true\\said " + "".join(f"{k:5}" for k in range(10)) + "\n")
            for k, row in enumerate(table):
                out.write(f"{k:9} " + "".join(f"{n:5}" for n in row) + "\n")
        """
}

/// The model with the highest score; of equal ones, the first.
task choose(models: list<file>, scores: list<float>, rates: list<float>)
    -> (model: file = "model.json", rate: float)
{
    run python """
        import shutil

        best = scores.index(max(scores))
        shutil.copyfile(models[best], model)
        rate = rates[best]
        """
}
