couler 1

task step(n: int) -> (m: int) {
    run sh "m=$n"
}

workflow main(a: int?, b: (x: int?), c: file?) -> (n: int) {
    let one = if a != none { a + 1 } else { 0 }
    let two = if a == none { 0 } else { a + 1 }
    let three = if a != none and a > 2 { a } else { 3 }
    let four = if a == none or a > 2 { 1 } else { a }
    let five = if b.x != none { b.x + 1 } else { 2 }
    let six = if not (none == a) { a + 1 } else { 0 }
    let seven = if a != none or b.x != none { a + 1 } else { 0 } //! CW0302 `int?` and `int`
    let eight = if a != none { 1 } else { a + 1 }               //! CW0302 `int?` and `int`
    let nine = try step(1)
    let ten = nine.m                                            //! CW0306 `?.m`
    let eleven = if nine != none { nine.m } else { 0 }
    let twelve = nine?.m ?? 1
    return one + two + three + four + five + six + eleven + twelve
}
