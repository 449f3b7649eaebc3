couler 1

import "./imports/a.cwl" { one } //! CW0206 `imports/a.cwl` → `imports/b.cwl` → `imports/a.cwl`

fn two(n: int) -> int = n + length("x")
fn three(n: int) -> int = one(n)
