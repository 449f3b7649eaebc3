couler 1

fn id(s: string) -> string = s
fn bad(s: secret) -> int = 1                  //! CW0431 in a `fn`
task push(token: secret, note: string) -> (ok: string = stdout) {
    env { TOKEN: token, TEXT: "t={token}" }   //! CW0430 secret `token` is put into text
    run ["push", note, token]                 //! CW0430 is a word of a command
}
task leak(x: secret) -> (out: secret) {       //! CW0431 output `out`
    run sh "out=1"
}
task many(x: list<secret>) {                  //! CW0431 inside of `list<secret>`
    run sh "true"
}
task tell(text: string) {
    run ["echo", text]
}
workflow sub(t: secret) {
    tell("{t}")                               //! CW0430 passed on as `t`
}
workflow main(token: secret, key: secret = "abc") -> (n: string) { //! CW0301 a secret comes from outside
    sub(token)
    let copy = token                          //! CW0430 is given another name
    let xs = [token]                          //! CW0430 is put into a list
    let eq = token == "x"                     //! CW0430 is used in an expression
    let s = id(token)                         //! CW0430 passed for a parameter that is no `secret`
    tell(key)                                 //! CW0430 passed for a parameter that is no `secret`
    let p = push("plain", "n")                //! CW0301 expected `secret`, found `string`
    return token                              //! CW0430 is returned
}
