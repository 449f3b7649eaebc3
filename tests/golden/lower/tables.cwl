couler 1

enum Class { ham, spam }

schema Comment {
    id:    string where unique and length(id) == 2
    text:  string where length(text) <= 100 and matches(text, r"^\w")
    stars: int? where stars in 0..6
    score: float? where score >= 0.0
    date:  timestamp
    class: Class? where unique
}

schema Author {
    name: string
    from: string
}

fn half(x: float) -> float = x / 2.0

/// One comment, cleaned.
transform tidy(c: Comment, least: int = 0) {
    where c.stars >= least
    ...c without id, score
    text = lower(trim(c.text))
    words = length(split(text))
    h = half(c.score)
    label = "{text}: {c.stars}"
    where words > 0 and c.class != spam
    good = if c.stars != none and c.stars > 3 { true } else { false }
}

fn cores(n: int) -> float = n * 2.0

transform by_day(rows: table<tidy>, authors: table<Author>, most: int) {
    resources { cpu: cores(1), memory: 2 GiB, disk: 1 GiB }
    timeout   1 h
    retry     1 { on: [oom] }
    left join authors on rows.text == authors.name
    d = day(rows.date)
    group by d, rows.class, from = authors.from ?? "nowhere"
    n = count()
    known = count(rows.stars)
    stars = mean(rows.stars)
    share = sum(rows.words) / n
    middle = quantile(rows.stars, 1 / 2)
    different = count_distinct(rows.text)
    where count() > 0
    order by n desc, rows.class == ham, from
    limit most + 1
}

transform names(rows: table<Comment>, authors: table<Author>) {
    semi join authors on authors.name == rows.id
    anti join authors on authors.from == rows.text and authors.name == lower(rows.id)
    text = rows.text
    distinct
    order by length(text)
}

transform whole(rows: table<Comment>) {
    first = first(rows.id)
    last = last(rows.score) ?? 0.0
}

task look(rows: table<tidy>) -> (n: int = stdout, seen: file<csv> = "seen.csv") {
    run ["look", rows, "--out", seen]
}

workflow main(comments: file<csv>, authors: file<parquet>)
    -> (days: table<by_day>, names: file<jsonl>, any: file, n: int)
{
    let all = read<Comment>(comments)
    let most = read<Comment>(comments, on_bad: keep)
    let tidied = all |> tidy |> tidied_again
    let looked = look(all |> tidy(least: 2))
    let days = by_day(most |> tidy, authors, most: 3) after looked
    let _tried = try whole(comments)
    return (
        days: days,
        names: names(looked.seen, authors),
        any: write<arrow>(tidied, "all.arrow"),
        n: looked.n,
    )
}

transform tidied_again(t: tidy) {
    where t.good
}

test "rows" {
    let at = timestamp("2024-05-01T12:00:00Z")
    let one = Comment(id: "ab", text: " Fine ", stars: 4, date: at)
    let two = Comment(id: "cd", text: "no", date: at)
    let three = Comment(id: "ef", text: "spam", stars: 5, score: 3.0, date: at, class: spam)
    expect tidy(one).text == "fine"
    expect tidy(one) ==
        tidy(text: "fine", stars: 4, date: at, words: 1, label: "fine: 4", good: true)
    expect tidy(two) == none
    expect tidy(three) == none
    expect tidy(one, least: 5) == none
    expect ([one, two, three] |> tidy).words == [1]
    expect by_day(tidy([one, one]), [Author(name: "fine", from: "here")], 5) ==
        [
            by_day(
                d: 1,
                from: "here",
                n: 2,
                known: 2,
                stars: 4.0,
                share: 1.0,
                middle: 4.0,
                different: 1,
            ),
        ]
    expect by_day([], [], most: 1) == []
    expect names(
        [one, two, two],
        [Author(name: "cd", from: "x"), Author(name: "ab", from: "y")],
    ).text ==
        ["no", " Fine "]
    expect whole([two, three]) == [whole(first: "cd", last: 3.0)]
    expect whole([])[0].first == none
}
