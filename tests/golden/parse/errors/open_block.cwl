couler 1
workflow w(a: int) {
    if a == 1 {
        t(a)
    let y = 3
}

task t(x: int) {
  run ["a"]
}
