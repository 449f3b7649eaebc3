couler 1

enum Class { ham, spam }

schema Flight {
    date:    timestamp
    carrier: string
    dest:    string
    delay:   float?
    dist:    int?
    class:   Class?
}

schema Airport {
    code: string
    city: string
    pop:  int?
}

fn half(x: float) -> float = x / 2

transform by_year(rows: table<Flight>, least: int = 1) {
    where rows.delay != none
    d = rows.delay + 1
    group by y = year(rows.date), rows.carrier
    n = count()
    worst = max(d)
    avg = round(mean(rows.delay), 1)
    spread = stddev(rows.delay)
    med = quantile(rows.dist, 1 / 2)
    where n >= least and avg > 0
    order by n desc, rows.carrier
    limit least * 10
}

transform totals(rows: table<Flight>) {
    n = count()
    total = sum(rows.dist)
    avg = mean(rows.dist) ?? 0.0
    share = "{count(rows.class)} of {count()}"
}

transform cities(rows: table<Flight>, airports: table<Airport>, banned: table<Airport>) {
    anti join banned on banned.code == rows.dest
    left join airports on rows.dest == airports.code and rows.dist == airports.pop
    ...rows without dist, delay
    ...airports without pop
    h = half(rows.delay)
    text = "{rows.carrier} {airports.city}"
    big = if rows.dist != none { rows.dist * 2 } else { 0 }
    near = rows.dist in 0..100
    known = rows.class == spam
}

transform uniq(rows: table<Flight>) {
    carrier = lower(rows.carrier)
    distinct
    n = length(carrier)
}

transform tidy(f: Flight) {
    where f.delay > 0.0 or f.dist > 3
    ...f
    carrier = lower(f.carrier)
    where carrier != "aa"
    hasx = f.carrier == carrier
}

transform again(t: tidy, min: int = 3) {
    where t.dist > min
}

workflow main(flights: file<csv>, airports: file<parquet>)
    -> (a: file, b: table<cities>, c: file<jsonl>)
{
    let rows = read<Flight>(flights, on_bad: drop)
    let ys = rows |> by_year(least: 3)
    let cs = cities(rows, airports, read<Airport>("x.csv"))
    let t = rows |> tidy |> again(min: 4)
    return (a: ys, b: cs, c: t)
}

test "tidy" {
    let a = Flight(date: timestamp("2024-01-01T00:00:00Z"), carrier: "UA", dest: "x", delay: 3.0)
    let b = Flight(date: timestamp("2025-01-01T00:00:00Z"), carrier: "AA", dest: "x", delay: 5.0)
    expect tidy(a).carrier == "ua"
    expect tidy(b) == none
    expect tidy([a, b]) ==
        [
            tidy(
                date: timestamp("2024-01-01T00:00:00Z"),
                carrier: "ua",
                dest: "x",
                delay: 3.0,
                hasx: false,
            ),
        ]
    expect by_year([a, b, b]) ==
        [
            by_year(y: 2025, carrier: "AA", n: 2, worst: 6.0, avg: 5.0, spread: 0.0),
            by_year(y: 2024, carrier: "UA", n: 1, worst: 4.0, avg: 3.0),
        ]
    expect totals([]) == [totals(n: 0, total: 0, avg: 0.0, share: "0 of 0")]
    expect cities([a], [Airport(code: "x", city: "X")], [])[0].city == none
    expect uniq([a, b, a]).n == [2, 2]
    expect ([a, b] |> totals) == totals([a, b])
}
