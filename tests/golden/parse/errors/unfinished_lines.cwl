couler 1

workflow w(a: int) {
    let x = a +
    let y = 3
    let z = y +
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
