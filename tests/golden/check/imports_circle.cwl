couler 1

import "./imports/a.cwl" { one }

workflow main() -> (n: int) {
    return one(1)
}
