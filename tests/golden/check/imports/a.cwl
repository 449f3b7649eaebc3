couler 1

import "./imports/b.cwl" { two }

fn one(n: int) -> int = two(n)
