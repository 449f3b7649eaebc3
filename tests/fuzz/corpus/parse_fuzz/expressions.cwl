couler 1

fn numbers() -> list<float> = [1, 10_000, 0.5, 1e-4, 2.5e3, 30 min, 1.5 h, 4GiB, -1, 1..3, 0.1 .. 0.2]
fn operators(a: int, b: int) -> bool = a |> b ?? a or b and not a == b .. a + b - a * b / a div b % -a ** b
fn compared(a: int, xs: list<int>) -> bool = a in xs and a < 1 or a <= 2 or a > 3 or a >= 4 or a != 5
fn postfix(a: S) -> int = a.b?.c[0](1, x: 2).d
fn containers() -> S = (a: [1, ...xs], b: ["k": 1, "l": [:]], c: (d: ()))
fn strings(n: int) -> string = "a {n + 1} b {"in {n}"} \{ \u{1F600} é" + r"\d+\"" + """raw \n { x }"""
fn generic(f: file) -> table<S> = read<Comment>(f) + read<list<int>?>(f)
fn branches(a: int) -> int = if a == 1 { 1 } else if a == 2 { let b = 2; b } else { 3 }
fn nested(xs: list<int>) -> list<int> = for x in xs { for y in xs { x * y } }
fn less(a: int, b: int, c: int) -> bool = f(a < b, c > (a))
