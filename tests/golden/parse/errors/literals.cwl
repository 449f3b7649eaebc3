couler 1

workflow w(a: int) {
    let x = 1 < a < 3
    let y = 1 == 2 == 3
    let n = 99999999999999999999
    let m = 1__0
    let q = -9223372036854775808
    let k = [1, "a": 2]
    let r = (1, 2)
    let s = f(a, ...x)
    # comment
    let é = 3
    let @ = 3
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
