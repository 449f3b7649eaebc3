couler 1

import "./imports/model.cwl" { train, grade } //! CW0230 `grade` is imported
import "./imports/model.cwl" as other //! CW0230 `other`

fn _never(n: int) -> int = n         //! CW0232 fn `_never`
fn public(n: int) -> int = n

workflow main(data: file<csv>, unused: int = 3) -> (n: int) {
    let a = train(data)              //! CW0231 `a` is never used
    let _b = train(data)
    train(data)                      //! CW0233 outputs of `train`
    public(3)                        //! CW0234 never used
    if true {
        train(data, rate: 0.2)       //! CW0233 outputs of `train`
    }
    return 1
}
