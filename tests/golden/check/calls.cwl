couler 1

schema Row { id: string, n: int?, }
task step(data: file, epochs: int, rate: float = 0.1, note: string?) -> (out: file, score: float) {
    run sh "score=1"
}

workflow main(data: file) -> (out: file) {
    let a = step(data)                                  //! CW0211 lacks `epochs: int`
    let b = step(data, 1, 0.1, "x", 5)                  //! CW0213 takes 4 arguments, found 5
    let c = step(data, epochs: 1, data)                 //! CW0214 without a name after a named
    let d = step(data, epochs: 1, epochs: 2)            //! CW0212 `epochs` is given twice
    let e = step(data, 1, data: data)                   //! CW0212 `data` is given twice
    let f = step(data, epoch: 1)                        //! CW0210 did you mean `epochs`
    let g = step(data, zzz: 1)                          //! CW0210 still free: `epochs`, `rate`, `note`
    let h = step("data.csv", 1)
    let i = step(a, 1)                                  //! CW0301 take `.out`
    let j = Row(id: "1")
    let k = Row(n: 3)                                   //! CW0211 `Row` lacks `id: string`
    let l = Row(id: "1", m: 3)                          //! CW0210 still free: `n`
    let m = round(x: 1.5)                               //! CW0216 built in
    let n = round("x")                                  //! CW0303 there is `round(x: float) -> int`
    let o = round(1.5, 2).digits                        //! CW0317 a `float` has no fields
    let p = a.modl                                      //! CW0219 has no field `modl`
    let q = a.scor + 1                                  //! CW0219 did you mean `score`
    return a.out
}
