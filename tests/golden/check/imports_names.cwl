couler 1

import "./imports/model.cwl" { train, grad, _hidden } //! CW0205 did you mean `grade` //! CW0204 private
import "./imports/model.cwl" as model
import "./imports/missing.cwl" { lost }
import "./imports/2nd-file.cwl" //! CW0207 as name
import "./imports/model.cwl" { grade as train } //! CW0202 `train` is declared twice

workflow main(data: file<csv>) -> (n: int, s: float) {
    let t = train(data)
    let l = lost(t.model, wrong: 3)
    let g = model.grad(2)     //! CW0201 `model.grad`
    let h = model._hidden(2)  //! CW0204 private
    let k = model.train       //! CW0209 is a task, not a value
    let m: model.Grad = good  //! CW0201 type `model.Grad`
    return (n: l.n, s: t.score)
}
