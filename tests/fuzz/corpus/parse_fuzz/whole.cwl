couler 1

/// Finds spam comments: weak labels from rules, then a tuned classifier.
import std.text
import "./train.cwl" { train }

enum Class { ham, spam }

schema Comment {
    id:      string
    author:  string
    date:    timestamp?
    content: string        where length(content) <= 10_000
    class:   Class?        // the hand-made label, where there is one
}

/// One comment, cleaned, with the columns that the rules look at.
transform tidy(c: Comment) {
    where c.content != ""
    ...c                                   // keep every column of c
    text     = lower(trim(c.content))
    words    = count(text, " ") + 1
    has_link = matches(text, r"https?://")
}

labeler weak_class(c: tidy) -> Class {
    vote spam when c.has_link                                as link
    vote spam when text.mentions(c.text, ["subscribe", "check out"])  as plug
    vote ham  when c.words > 20 and not c.has_link           as long_comment
}

workflow spam(comments: file<csv> = "comments.csv", trials: int = 16)
    -> (model: file, score: float)
{
    let rows    = read<Comment>(comments)                    // validated against the schema
    let labeled = rows |> tidy |> weak_class                 // adds class, p_class, and one column per vote
    let best    = tune train(data: labeled, depth: in 2..8, rate: in log(0.01 .. 0.3))
                  maximize score
                  using asha(trials: trials, reduction: 4)
                  prior from card(data: "comments; spam or ham; F1", model: "boosted trees", points: 3)
    if best.score > 0.9 {
        publish(best.model)
    }
    return (model: best.model, score: best.score)
}

volatile task publish(model: file) {
    run ["cp", model, "/srv/models/spam"]
}

target local_box = local { jobs: 2 }
target prod      = argo  { namespace: "ml", service_account: "trainer", artifacts: s3(bucket: "models") }

test "tidy drops empty comments" {
    expect tidy(Comment(id: "1", author: "a", content: "")) == none
}

/// Trains a classifier and scores it on the held-out fifth.
task train(data: file<csv>, depth: int = 4, rate: float = 0.1) -> (model: file = "model.json", score: float) {
    image     "python:3.11-slim"
    resources { cpu: 1, memory: 1 GiB }
    timeout   30 min
    retry     2 { backoff: 5 s, on: [transient, oom] }
    run python """
        import csv, json
        rows = list(csv.DictReader(open(data)))       # inputs are variables of their own type
        ...
        score = 0.93                                  # scalar outputs are variables too
        json.dump(weights, open(model, "w"))          # file outputs are paths to write
        """
}

fn double(x: int) -> int = 2 * x

/// Another way to run: an argument vector.
task concat(parts: list<file>, head: string?) -> (whole: file = stdout, n: int = "n.txt") {
    env { LC_ALL: "C", HEAD: head ?? "" }
    cache false
    run ["cat", ...parts, "-n"]
}

transform grouped(rows: table<Comment>) {
    where rows.author != ""
    group by rows.author, rows.class
    order by rows.author
    limit 10
    distinct
    join others on rows.id == others.id
    ...rows without id, date
    limit = rows.limit
}

workflow all(files: list<file>, token: secret, opts: map<string, int> = [:]) -> (out: file, n: int?) {
    let parts = for f in files { double(1); concat([f]) }
    let refined = loop state = 1 max 10 {
        let next = state * 2
        next
    } until state > 100
    let perhaps = try concat(files) after parts, refined.x
    let text: string = if perhaps != none { "got {perhaps.n}" } else if refined > 3 { "many" } else { "none" }
    finally {
        notify(text: status)
    }
    return (out: perhaps?.whole ?? files[0], n: perhaps?.n)
}
