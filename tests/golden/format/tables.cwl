couler 1

schema Flight {
    id:      string where unique and length(id) == 8  // the key
    date:    timestamp
    carrier: string
    delay:   float? where delay >= -60.0
    from:    string? from "Where \"from\" (IATA)" where from != ""
    tail:    string from "tail"
}

/// One flight.
transform late(f: Flight, least: int = 15) {
    where f.delay > least  // late
    ...f without id, date
    hour = hour(f.date)
    day = day(f.date)
}

transform by_carrier(
    rows: table<Flight>,  // flights
    carriers: table<Carrier>,
    least: int = 1,
) {
    // first those that are known
    left join carriers on rows.carrier == carriers.code and rows.date == carriers.since
    semi join carriers on carriers.code == rows.carrier
    anti join carriers on carriers.code == rows.carrier
    join carriers on carriers.code == rows.carrier
    group by rows.carrier, y = year(rows.date), limit, h = hour(rows.date)  // hours
    n = count()
    left = 3
    semi = left
    desc = 1
    where n >= least
    order by n desc, rows.carrier asc, y, desc desc
    limit 10
    distinct
}

test "one from another" {
    let one = Flight(...first, delay: 3.0)
    expect late(late(...one)) == none
}

transform nothing(rows: table<Flight>) {}

/// Settings stand anywhere, once each.
transform limited(f: Flight) {
    resources {
        cpu: 2,
        memory: 1 GiB,  // much
        disk: 3 GiB,
    }
    // while it is hot
    ...f
    retry     2 { backoff: 5 s, on: [oom] }  // twice
    timeout = 3
    timeout   10 min
    retry = 1
    resources = 2
}

workflow main(flights: file<csv>) -> (a: file<csv>) {
    let rows = read<Flight>(flights)
    let kept = read<Flight>(flights, on_bad: drop)
    let all = kept |> late |> by_carrier(carriers, least: 3) |> nothing
    return (a: write<csv>(all, "x.csv"))
}
