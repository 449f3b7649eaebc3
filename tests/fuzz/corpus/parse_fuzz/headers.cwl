couler 1
task t(a: int, b, c: string) -> (y: int = ) {
    run ["a"]
}
workflow w(a: ) { let x = }
fn f(x int) = 3
fn g(x: int) =
workflow z { }
schema S {
    id string
    x: int?
    y: list<int>
    z: int where
}
