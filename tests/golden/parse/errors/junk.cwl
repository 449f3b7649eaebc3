couler 1
let x = 3
foo(x)
bar

enum E { a b c, }
