couler 1

task step(n: int) -> (m: int) {
    run sh "m=$n"
}
workflow main() -> (m: int) {
    let a = step(1)
    let b = a.m ?? 0                 //! CW0318 never taken
    let c = if b != none { b } else { 0 } //! CW0318 this `int` is never none
    let d = none ?? c
    return d + (a?.m)                      //! CW0307 never none
}
