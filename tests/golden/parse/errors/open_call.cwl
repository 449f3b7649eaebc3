couler 1

workflow w(a: int) {
    let x = foo(
        a: 1,
        b: 2
    let y = 3
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
