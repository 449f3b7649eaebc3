couler 1

fn one(n: int) -> int = two(n)     //! CW0401 `one` calls itself through `two`
fn two(n: int) -> int = one(n)
fn itself(n: int) = itself(n - 1)  //! CW0401 `itself` calls itself
fn earlier(n: int) = before(n)
fn before(n: int) = n + 1

workflow a(n: int) { b(n) }        //! CW0402 `a` calls itself through `b`, `c`
workflow b(n: int) { c(n) }
workflow c(n: int) { a(n) }
