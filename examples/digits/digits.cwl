couler 1

// Learns to read handwritten digits: 1,797 pictures of 8 × 8 pixels, a softmax classifier in plain
// Python, one training for each learning rate, the best of them judged on pictures that none saw.

import "./model.cwl" { split, train, evaluate, choose }

workflow digits(images: file = "digits.csv.gz", epochs: int = 12, seed: int = 7)
    -> (model: file, accuracy: float, rate: float, confusion: file)
{
    let parts = split(images, seed)

    let trials = for rate in [0.003, 0.01, 0.03, 0.1] {
        let fitted = train(parts.training, rate, epochs, seed)
        let judged = evaluate(fitted.model, parts.validation)
        (model: fitted.model, accuracy: judged.accuracy, rate: rate)
    }
    let best = choose(trials.model, trials.accuracy, trials.rate)

    let tested = evaluate(best.model, parts.test)
    return (
        model: best.model,
        accuracy: tested.accuracy,
        rate: best.rate,
        confusion: tested.confusion,
    )
}

target cluster = argo {
    namespace: "ml",
    image: "python:3.11-slim",
    artifacts: s3(bucket: "digits"),
}
