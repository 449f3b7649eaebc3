couler 1

enum Class { ham, spam, ham } //! CW0202 `ham` is declared twice

fn f(n: int) -> int = n
task f(x: int) -> (y: int) { //! CW0202 `f` is declared twice
    run sh "y=$x"
}
fn dup(a: int, a: int) -> int = a //! CW0202 `a` is declared twice
task clash(x: int) -> (x: int) { //! CW0202 `x` is declared twice
    run sh "x=1"
}
fn list_of(n: int) -> lst<int> = [n] //! CW0201 did you mean `list`
fn generic(n: list) -> int = 1 //! CW0218 `list` takes 1 type argument
fn plain(n: int<string>) -> int = 1 //! CW0218 no type arguments
fn notype(n: f) -> int = 1 //! CW0217 `f` is a fn, not a type
fn keyed(m: map<int, string>) -> int = 1 //! CW0316 map key

workflow main(n: int) -> (x: int) {
    let n = 3                 //! CW0202 `n` is declared twice
    let a = 1
    let b = for a in [1] { a } //! CW0203 `a` hides a local
    let c = lenght("x")       //! CW0201 did you mean `length`
    let d = length            //! CW0201 is a function: call it
    let e = f                 //! CW0209 is a fn, not a value
    let g = a(1)              //! CW0208 local `a` cannot be called
    let h = spam              //! CW0201 `Class.spam`
    let i = Class.spma        //! CW0201 did you mean `spam`
    let j: Class = spm        //! CW0201 did you mean `spam`
    let k = a.trim()          //! CW0208 functions take the value as an argument
    let l = f(1)(2)           //! CW0208 this value
    let unknown = nowhere     //! CW0201 unknown name `nowhere`
    return unknown + 1
}
