couler 1

/// The place of the greatest item, the first of equal ones. An empty list is an error.
fn arg_max(xs: list<float>) -> int = index_of(xs, max(xs)) ?? 0

/// The place of the least item, the first of equal ones. An empty list is an error.
fn arg_min(xs: list<float>) -> int = index_of(xs, min(xs)) ?? 0

/// The `n` greatest items, greatest first.
fn top(xs: list<float>, n: int) -> list<float> = take(reverse(sort(xs)), n)

/// `xs` in pieces of `size` items; the last may be shorter.
fn chunks(xs: list<string>, size: int) -> list<list<string>> =
    for start in range(0, length(xs), size) { slice(xs, start, start + size) }

/// The numbers 0 to `count` - 1 in `parts` runs whose lengths differ by one at most.
fn spread(count: int, parts: int) -> list<list<int>> =
    for i in 0..parts { range(count * i div parts, count * (i + 1) div parts) }

/// The items of `xs` that are not in `others`.
fn without(xs: list<string>, others: list<string>) -> list<string> =
    flatten(for x in xs { take([x], if x in others { 0 } else { 1 }) })

/// The items of `xs` that are in `others` too.
fn common(xs: list<string>, others: list<string>) -> list<string> =
    flatten(for x in xs { take([x], if x in others { 1 } else { 0 }) })

/// Each item of `xs` with each of `ys`: the points of a grid.
fn grid(xs: list<float>, ys: list<float>) -> list<(x: float, y: float)> =
    flatten(for x in xs { for y in ys { (x: x, y: y) } })

/// `xs` without its items that are none of text.
fn not_blank(xs: list<string>) -> list<string> =
    flatten(for x in xs { take([x], if trim(x) == "" { 0 } else { 1 }) })
