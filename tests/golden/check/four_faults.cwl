couler 1

task prepare(raw: file) -> (data: file = "data.csv") {
    run ["cp", raw, data]
}
task train(data: file, epochs: int, rate: float = 0.1) -> (model: file, score: float) {
    run python """
        score = 0.5
        """
}

workflow main(raw: file, epochs: int = 10) -> (model: file) {
    let prepared = prepare(raw)
    let a = train(prepared.data, epoch)                //! CW0201 did you mean `epochs`
    let b = train(prepared.data, epochs: "10")         //! CW0301 expected `int`, found `string`
    let c = train(prepared.data, epochs, rates: 0.2)   //! CW0210 did you mean `rate`
    let d = train(prepared.data, epochs) after prepard //! CW0201 did you mean `prepared`
    return (model: d.model)
}
