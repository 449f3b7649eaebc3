couler 1

task step(n: int) -> (m: int) {
    run sh "m=$n"
}
volatile task tell(s: string) {
    run ["echo", s]
}

workflow nested(c: bool) -> (n: int) {
    if c {
        return 1                     //! CW0404 at the end of a workflow
    }
    return 2
}
workflow early() -> (n: int) {
    return 1
    tell("x")                        //! CW0407 nothing after `return`
}
workflow nothing() {
    return 1                         //! CW0405 declares no outputs
}
workflow missing() -> (n: int, m: int) { //! CW0406 outputs `n`, `m`
    let a = step(1)
    tell("{a.m}")
}
workflow bare() -> (n: int) {
    step(1).m                        //! CW0406 write `return`
}
workflow by_record() -> (n: int) {
    (n: step(1).m)
}
workflow wrong_name() -> (total: int, m: int) {
    return (totl: 1, m: 2)           //! CW0219 did you mean `total`
}
workflow wrong_type() -> (n: int) {
    return (n: "a")                  //! CW0301 expected `int`
}
workflow with_value() -> (n: int = 3) { //! CW0453 takes no `=`
    return 1
}
workflow late(n: int) -> (m: int) {
    let a = step(n)
    finally {
        tell("{a.m}")                //! CW0409 may not exist
        tell(status)
    }
    finally { tell("again") }        //! CW0408 once
    if n > 1 {
        finally { tell("x") }        //! CW0408 top level
    }
    return a.m
}
workflow order(n: int) -> (m: int) {
    let a = step(n)
    let b = step(n) after a, n       //! CW0411 no step makes this value
    let c = twice(n) after a         //! CW0410 only a call
    return a.m + b.m + c
}
fn twice(n: int) -> int = n * 2
fn lets(n: int) -> int = if n > 1 {
    let m = n                        //! CW0412 no `let`
    m
} else { 1 }
fn steps(n: int) -> int = step(n).m  //! CW0403 task `step` cannot be called in a `fn`

test "steps" {
    expect step(1).m == 1            //! CW0403 in a test
    expect twice(2)                  //! CW0301 expected `bool`
}
