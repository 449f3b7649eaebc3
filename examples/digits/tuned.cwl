couler 1

// The same as digits.cwl with a search: points tried one after the other, each where those before it make a
// better one likely.

import "./model.cwl" { split, train, evaluate }

/// One trial: trained on the one part, judged on another.
workflow trial(training: file, validation: file, rate: float, epochs: int, seed: int)
    -> (model: file, accuracy: float)
{
    let fitted = train(training, rate, epochs, seed)
    let judged = evaluate(fitted.model, validation)
    return (model: fitted.model, accuracy: judged.accuracy)
}

workflow tuned(images: file = "digits.csv.gz", trials: int = 12, seed: int = 7) -> (
    model: file,
    accuracy: float,
    rate: float,
    epochs: int,
    trials: list<(trial: int, rate: float, epochs: int, accuracy: float?)>,
) {
    let parts = split(images, seed)
    let best = tune trial(
        parts.training,
        parts.validation,
        rate: in log(0.001 .. 0.3),
        epochs: in 4..16,
        seed: seed,
    )
        maximize accuracy
        using tpe(trials: trials, seed: seed, startup: 6, parallel: 2)

    let tested = evaluate(best.model, parts.test)
    return (
        model: best.model,
        accuracy: tested.accuracy,
        rate: best.params.rate,
        epochs: best.params.epochs,
        trials: best.trials,
    )
}
