couler 1

workflow w(a: int) {
    let x = foo(a))
    let y = [1, 2]]
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
