couler 1

enum Class { ham, spam }
task step(f: file<csv>, c: Class = ham, wait: duration = 3 s, n: int = 1) -> (out: file, score: float) {
    run sh "score=1"
}
fn half(x: float) -> float = x / 2
fn wrong(x: int) -> string = x                //! CW0301 expected `string`, found `int`
fn text(x: int) -> int = "4"                  //! CW0301 expected `int`, found `string`

workflow main(data: file, opt: int?, c: Class, xs: list<int>) -> (out: float) {
    let a = step(data)                        //! CW0301 the formats of the two files differ
    let b = step("x.csv", c: "spam")          //! CW0301 write `spam`
    let d = step("x.csv", wait: 30)           //! CW0301 a duration has a unit
    let e = step("x.csv", n: 2.0)             //! CW0301 write `2`
    let f = half(1)
    let g = half("0.5")                       //! CW0301 write `0.5`
    let h = opt + 1                           //! CW0302 needs a default
    let i: int = opt                          //! CW0301 may be none
    let j = 3 s + 4 GiB                       //! CW0302 do not mix
    let k = 3 s + 4                           //! CW0302 a bare number has no unit
    let l = "n: " + 4                         //! CW0302 to put a value into text
    let m = [1, "a"]                          //! CW0305 one item is `int`, another `string`
    let n = ["a": 1, "a": 2]                  //! CW0313 key `a`
    let o = []                                //! CW0308 empty list
    let p = [:]                               //! CW0308 empty map
    let q = if c == spam { 1 } else { "a" }   //! CW0304 `int` and `string`
    let r = c == "spam"                       //! CW0301 write `spam`
    let s = for x in 3 { x }                  //! CW0309 `0..3`
    let t = matches("a", r"(a")               //! CW0310 missing )
    let u = "{opt}"                           //! CW0312 give a default
    let v = "{data}"                          //! CW0312 known only inside of a task
    let w = opt?.x                            //! CW0317 a `int` has no fields
    let y = [...3]                            //! CW0314 found `int`
    let z: list<string> = xs                  //! CW0301 expected `list<string>`
    let aa = if opt { 1 } else { 2 }          //! CW0301 expected `bool`
    let bb: (a: int, b: string) = (a: 1, c: "x") //! CW0219 has no field `c`
    let cc: (a: int, b: string) = (a: 1)      //! CW0211 lacks `b`
    let dd: string = 4                        //! CW0301 write `"4"`
    let ee: string = f                        //! CW0301 write `string(f)`
    let ff: list<file> = data                 //! CW0301 make it a list
    let gg = loop s2 = 0 max 3 { "x" } until true //! CW0301 expected `int`, found `string`
    let hh = 3 in ["a"]                       //! CW0301 expected `int`
    return f
}
