couler 1
task t() {
    image: "x"
    run
    foo 3
    run ["x"]
    run ["y"]
    resources { cpu: 1 memory: 1 GiB }
    env { A = "x" }
}
transform tt(c: S) {
    where c.x = 3
    wher c.y
    x = 
    ...c wihtout a
}
