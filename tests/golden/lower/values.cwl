couler 1

// Conversions, literals, records, narrowing, members of lists.
enum Class { ham, spam }

schema Row {
    id: string
    score: float?
    class: Class
}

task probe(x: float, xs: list<float>, c: Class = spam) -> (s: float, maybe: float?) {
    run python """
        s = x + len(xs)
        maybe = None if c == "ham" else s
        """
}

task tell(x: float, c: Class) -> (s: float = stdout) { run ["probe", x, c, "{x}: {c}"] }

fn scale(x: float, by: float = 2) -> float = x * by
fn label(c: Class) -> string = if c == spam { "bad" } else if c == Class.ham { "good" } else { "?" }
fn grow(n: int) -> list<int> = [n, ...[1, 2], ...range(n), n + 1]
fn either(a: bool, b: bool?) -> bool = a and (b != none and b or not a)

workflow main(n: int = 3, limit: duration = 90 s, room: size = 1.5 GiB, maybe: float?) -> (best: float, text: string) {
    let one = probe(tell(n, ham).s, [1, 2.5])
    let rows = [Row(id: "a", class: ham), Row(id: "b", score: 1, class: spam)]
    let scores = rows.score
    let m = ["k": 1, "j": n]
    let r = (a: 1, b: (c: "x", d: limit))
    let opt = first(rows)?.id
    let x = if one.maybe != none { one.maybe + 1 } else { n / 2 }
    let y: float? = 1
    let z = -n ** 2 + scale(n) * 2
    let t = "{n}: {limit} {room} {r.b.c} \{raw\}"
    let flag = "k" in m and not (n >= 2 or opt == none)
    let raw = """
        two
          lines
        """
    let best = max(x, y ?? z) + (maybe ?? 0.5) + m["k"] + length(scores)
    return (text: t + raw + label(spam) + "{flag}" + "{limit / 2}", best: best)
}
