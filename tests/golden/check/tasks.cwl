couler 1

task none_at_all(x: int) -> (y: int) { //! CW0440 has no `run`
    image "alpine"
}
task settings(n: int) -> (m: int) {
    image     4                              //! CW0301 write `"4"`
    resources { cpus: 2, memory: 4, memory: 1 GiB, gpu: -1, cpu: 0 } //! CW0201 did you mean `cpu` //! CW0301 a size has a unit //! CW0212 `memory` //! CW0449 `gpu` is below zero //! CW0449 `cpu` is zero
    timeout   30                             //! CW0301 a duration has a unit
    retry     2 { backof: 1 s, on: [transiet, "oom"], exit_codes: ["a"] } //! CW0201 did you mean `backoff` //! CW0201 did you mean `transient` //! CW0449 no kind of failure //! CW0301 expected `int`
    cache     1                              //! CW0301 expected `bool`
    run sh "m=$n"
}
task command(n: int, xs: list<string>, o: int?, m: map<string, int>, data: file) -> (
    a: int,                                  //! CW0441 output `a` does not say
    b: list<int> = stdout,                   //! CW0442 cannot come from standard output
    c: file = stdout,                        //! CW0442 of type `file` cannot come from standard output
    d: file = "../x",                        //! CW0443 "../x"
    e: file = "x.txt",
    f: file = "x.txt",                       //! CW0444 `e` and `f`
    g: string = stdot,                       //! CW0201 did you mean `stdout`
    h: list<file>,                           //! CW0442 one file or one folder
    i: int = stdout
) {
    run ["x", n, xs, ...xs, o, m, ...n, data, e, i] //! CW0445 spread it //! CW0445 may be none //! CW0445 pass it as JSON //! CW0314 found `int` //! CW0452 `i` has no value
}
task empty() {
    run []                                   //! CW0446 no words
}
task shell(PATH: string, xs: list<int>) -> (ys: list<int>, zs: list<string>) { //! CW0447 `PATH` cannot be a variable of a shell //! CW0442 a shell variable
    env { xs: "1", COULER_X: "a", A: "1", A: "2", B: xs, C: zs } //! CW0448 is the parameter of that name //! CW0448 begins with `COULER_` //! CW0212 `A` //! CW0312 join its items //! CW0452 output `zs`
    run sh "true"
}
task snake(lambda: float, x: int) -> (class: int) { //! CW0447 `lambda` cannot be a variable of a Python //! CW0447 `class`
    run python "x = 1"
}
