couler 1

task train(rate: float = 0.5, kind: string = "tree", epochs: int = 9, start: file? = none) -> (model: file = "m.json", score: float) {
    run sh "train $rate $kind $epochs $start"
}

workflow grid() -> (score: float) {
    let best = tune train(kind: in ["tree", "linear"], rate: in 0.1 .. 0.9) maximize score using grid(points: 3)
    return (score: best.score)
}

workflow halving(trials: int) -> (model: file) {
    let best = tune train(rate: in log(0.01 .. 1.0))
        maximize score using asha(trials: trials, resource: epochs, max: 3, resume: start, checkpoint: model, brackets: 2)
    return (model: best.model)
}

fn half(x: float) -> float = x / 2.0

workflow learning() -> (rate: float) {
    let best = tune train(kind: in ["tree", "linear"], rate: in 0.1 .. half(1.8) if kind == "tree")
        minimize score using tpe(trials: 8, parallel: 2)
        prior from card(data: "rows " + "of numbers", model: """
            a tree
            """, points: 2)
    return (rate: best.params.rate)
}

workflow main() -> (score: float, model: file, rate: float) {
    let all = grid()
    let halved = halving(trials: 30)
    let learned = learning()
    return (score: all.score, model: halved.model, rate: learned.rate)
}
