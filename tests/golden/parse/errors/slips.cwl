couler 1

workflow w(a: int) {
    let x = a && b || !c
    if a = 3 {
 t(a) }
    y = 4
    let z := 3
    let s = 'hi'
    t(x = 3)
    t(a b)
    if a == 1 { t(1) } elif a == 2 { t(2) }
    let n = None
    let q = 3 mins
    retrun (a: 1)
}

task t(x: int) -> (y: int) {
    run sh """y=1"""
}
