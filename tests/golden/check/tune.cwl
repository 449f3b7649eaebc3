couler 1

enum Kind { linear, tree }

task train(data: file, kind: Kind, depth: int = 3, rate: float = 0.1, epochs: int = 5, name: string = "", start: file? = none)
    -> (model: file = "model.json", score: float, size: int, note: string)
{
    run python """
        score = depth * rate
        size = epochs
        note = name
        """
}
task odd(trial: int, width: float) -> (params: float) {
    run python "params = 1.0"
}
fn double(n: int) -> int = 2 * n

workflow every(data: file, n: int) -> (score: float, depth: int, rows: list<(trial: int, kind: Kind, rate: float, score: float?, size: int?, note: string?)>) {
    let grid = tune train(data, kind: in [linear, tree], depth: in 2..8 if kind == tree) maximize score
    let some = tune train(data, kind: in [linear, tree], rate: in log(0.01 .. 1.0)) minimize size using random(trials: n, seed: -1)
    let even = tune train(data, linear, rate: in 0..1) maximize score using sobol(trials: n + 1)
    let few = tune train(data, linear, depth: in [2, 4]) maximize score using asha(trials: 9, resource: epochs, max: 9, brackets: 3, resume: start, checkpoint: model)
    let last = tune train(data, linear, name: in ["a", "b"]) maximize score using tpe(trials: n, startup: 4, parallel: 2)
        prior from card(data: "rows", model: "a tree", points: 2)
    return (
        score: grid.score + even.score + last.score,
        depth: few.params.depth + few.trials[0].epochs,
        rows: some.trials,
    )
}

workflow wrong(data: file, many: int) -> (score: float) {
    let a = tune trian(data, Kind.linear, depth: in 2..8) maximize score using grid() //! CW0201 did you mean `train`
    let b = tune double(n: in 2..8) maximize score using grid() //! CW0469 a task or a workflow
    let c = tune train(data, linear) maximize score using random(trials: 3) //! CW0460 nothing
    let d = tune train(data, linear, name: in 2..8) maximize score using grid() //! CW0461 `string`
    let e = tune train(data, linear, depth: in 8..2) maximize score using grid() //! CW0462 nothing in this space
    let f = tune train(data, linear, depth: in []) maximize score using grid() //! CW0462 nothing in this space
    let g = tune train(data, linear, rate: in log(0.0 .. 1.0)) maximize score using random(trials: 3) //! CW0463 above zero
    let h = tune train(data, kind: in [linear] if depth > 3, depth: in 2..8) maximize score using grid() //! CW0201 `depth` //! CW0464 `kind`
    let i = tune train(data, linear, depth: in 2..8) maximize model using grid() //! CW0465 `file`
    let j = tune train(data, linear, depth: in 2..8) maximize scores using grid() //! CW0201 did you mean `score`
    let k = tune odd(trial: in 2..8, width: 1.0) maximize params using grid() //! CW0466 parameter `trial` //! CW0466 output `params`
    let l = tune train(data, linear, rate: in 0.0 .. 1.0) maximize score using grid() //! CW0467 `rate`
    let m = tune train(data, linear, rate: in [0.1]) maximize score using asha(trials: 9, resource: rate, max: 9) //! CW0468 not an `int`
    let n = tune train(data, linear, rate: in [0.1], epochs: 3) maximize score using asha(trials: 9, resource: epochs, max: 9) //! CW0212 given twice
    let o = tune train(data, linear, rate: in [0.1]) maximize score using asha(trials: 9, resource: epoch, max: 9) //! CW0201 did you mean `epochs`
    let p = tune train(data, linear, rate: in [0.1]) maximize score using asha(trials: 9, min: 9, max: 3) //! CW0211 `resource` //! CW0449 less than `min`
    let q = tune train(data, linear, rate: in [0.1]) maximize score using asha(trials: 9, resource: epochs, max: 9, resume: start) //! CW0211 `checkpoint`
    let r = tune train(data, linear, rate: in [0.1]) maximize score using asha(trials: 9, resource: epochs, max: 9, resume: name, checkpoint: note) //! CW0468 first rung
    let s = tune train(data, linear, rate: in [0.1]) maximize score using hyperband(trials: 9) //! CW0201 way to search
    let t = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trails: 9) //! CW0201 did you mean `trials` //! CW0211 `trials`
    let u = tune train(data, linear, rate: in [0.1]) maximize score using random(trials: 0, seed: "a") //! CW0449 zero //! CW0301 found `string`
    let v = tune train(data, linear, depth: in 3) maximize score using grid() //! CW0301 found `int`
    let w = tune train(data, linear, rate: in ["a"]) maximize score using grid() //! CW0301 found `string`
    let x = tune train(3, rate: in [0.1]) maximize score using grid() //! CW0301 `file` //! CW0211 `kind: Kind`
    let y = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trials: 9, parallel: many) //! CW0420 compile
    let z1 = tune train(data, linear, rate: in [0.1]) maximize score prior from card(data: "d", model: "m") //! CW0470 all points
    let z2 = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trials: 9) prior from cards(data: "d", model: "m") //! CW0201 did you mean `card`
    let z3 = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trials: 9) prior from card(data: 3, modle: "m") //! CW0301 found `int` //! CW0201 did you mean `model` //! CW0211 `model`
    let z4 = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trials: 9) prior from card(data: "d", model: "m", points: 0) //! CW0449 zero
    let z5 = tune train(data, linear, depth: in 2..many) maximize score using tpe(trials: 9) prior from card(data: "d", model: "{many}") //! CW0420 a space //! CW0420 `model`
    let z6 = tune train(data, linear, rate: in [0.1]) maximize score using tpe(trials: 9) prior from card("d") //! CW0449 without a name //! CW0211 `data`, `model`
    return a.score
}
