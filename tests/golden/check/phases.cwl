couler 1

task count(data: file) -> (n: int, name: string) {
    run sh "n=1"
}
task tagged(tag: string) -> (m: int) {
    image "python:{tag}"               //! CW0420 `image` must be known at compile time
    run sh "m=1"
}
fn named(name: string) = file("data/{name}.csv")
fn given(n: int, m: int = n) -> int = m //! CW0201 cannot use other parameters

workflow repeat(times: int) -> (n: int) {
    let r = loop s = 0 max times { s + 1 } until s > 3
    return r
}
workflow main(data: file, rounds: int) -> (n: int) {
    let a = count(data)
    let r = loop s = 0 max a.n { s + 1 } until s > 3 //! CW0420 this step must run first
    let g = glob("data/{a.name}*.csv")               //! CW0420 the pattern of `glob`
    let f = file(a.name)                             //! CW0420 the path of a file
    let h = named(a.name)                            //! CW0420 needed here, through `name`
    let i = repeat(a.n)                              //! CW0420 the maximum of a `loop`
    let j = repeat(rounds)
    let k = loop s = 0 max rounds * 2 { s + 1 } until s > 3
    return r + length(g) + i.n + j.n + k
}
workflow defaults(xs: list<file> = glob("*.csv")) -> (n: int) {
    return length(xs)
}
task late_default(xs: list<file> = glob("*.csv")) { //! CW0420 a default must be known at compile time
    run ["cat", ...xs]
}
target t = local { jobs: length(glob("*")) } //! CW0420 `jobs` must be known at compile time
