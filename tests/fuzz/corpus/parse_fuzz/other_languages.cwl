couler 1

workflow w(a: int) {
    let x = [y for y in a]
    let y = a if b else c
    for (x in y) { }
    while x { }
    let f = fn(x) => x
    x += 1
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
