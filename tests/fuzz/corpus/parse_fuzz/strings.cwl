couler 1

workflow w(a: int) {
    let x = "abc
    let y = "a{b
    let z = "a{b + }c"
    let w = "\q"
    let r = r"abc
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
