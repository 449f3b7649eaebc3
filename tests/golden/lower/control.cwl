couler 1

// Bodies within bodies.
task fit(i: int, seed: int = 0) -> (score: float, model: file) {
    run python """
        score = i * 0.5
        open(model, "w").write(str(seed))
        """
}

task show(f: file) { run ["cat", f] }

workflow main(rounds: int = 4) -> (best: float, models: list<file>) {
    let grid = for i in 0..3 {
        for seed in [1, 2] {
            let m = fit(i, seed)
            if m.score > 0.5 {
                show(m.model)
            }
            (score: m.score, model: m.model)
        }
    }
    let flat = flatten(grid)
    let state = loop s = 0.0 max rounds {
        let next = fit(floor(s))
        next.score
    } until s >= 1.0 or next.score == 0.0
    let kept = try fit(1)
    let chosen = if state > 0.5 { first(flat)?.model } else { none }
    if chosen != none {
        show(chosen)
    } else if state > 0.1 {
        for m in flat.model { show(m) }
    }
    return (best: max(flat.score) + (kept?.score ?? 0), models: flat.model)
}
