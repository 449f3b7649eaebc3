couler 1

/// A right program that uses most of the language; nothing is reported.
import "./imports/model.cwl" { train, Grade }
import "./imports/model.cwl" as model

enum Class { ham, spam }

schema Comment {
    id:      string
    content: string where length(content) <= 10_000
    class:   Class?
}

fn twice(n: int) -> int = n * 2
fn label(c: Class) = if c == spam { "bad" } else { "good" }
fn path(name: string) -> file = file("data/{name}.csv")
fn later(n: int) = shout(n) + "!"
fn shout(n: int) = "{n}"

task split(data: file, parts: int = 4) -> (pieces: dir, count: int, names: list<string>) {
    image     "python:3.11-slim"
    resources { cpu: 0.5, memory: 1 GiB, gpu: 0, disk: 10 GB }
    timeout   30 min
    retry     2 { backoff: 5 s, max_backoff: 1 min, factor: 2, on: [transient, oom], exit_codes: [75] }
    cache     false
    run sh """
        split -n "$parts" "$data" "$pieces/"
        count=$parts
        names=$(ls "$pieces")
        """
}

task join_all(parts: list<file>, note: string, token: secret, how: Class = spam) -> (all: file = "all.txt") {
    env { TOKEN: token, NOTE: "{note} of {how}", MODE: how }
    run ["sh", "-c", "cat \"$@\" > {all}", "sh", ...parts, "--out={all}", note]
}

task lines(data: file) -> (n: int = stdout, first: string = "first.txt") {
    run ["wc", "-l", data]
}

volatile task tell(text: string) {
    run ["echo", text]
}

task stats(data: file) -> (mean: float, by: map<string, float>, top: list<int>, when: timestamp?) {
    run python """
        mean, by, top, when = 0.5, {}, [], None
        """
}

workflow inner(data: file<csv>, rounds: int, token: secret) -> (all: file, score: float) {
    let best = loop state = (score: 0.0, round: 0) max rounds {
        let tried = train(data, rate: 0.1)
        (score: tried.score, round: state.round + 1)
    } until state.score > 0.9 and tried.score > 0.5
    let all = join_all(parts: [data], note: "n", token: token)
    return (score: best.score, all: all.all)
}

workflow main(comments: file<csv> = "comments.csv", rounds: int = 3, token: secret, extra: file?)
    -> (all: file, count: int, grades: list<Grade?>, note: string)
{
    let sizes = [1, 2.5, twice(3)]
    let parts = split(comments, parts: rounds + 1)
    let trained = for rate in [0.1, 0.2] {
        train(data: comments, rate: rate)
    }
    let scores = trained.score
    let counted = for f in glob("data/*.csv") { lines(f) } 
    let total = sum(counted.n) + length(scores)
    let sub = inner(comments, rounds, token)
    let tried = try lines(sub.all) after parts, sub
    let n = tried?.n ?? 0
    let named = if tried != none and tried.n > 3 { tried.first } else { "none" }
    let safe = if extra != none { lines(extra).n } else { 0 }
    if n > 3 {
        tell("many: {n}, {named}, {sizes}, {total} and {safe}")
    }
    let grades = for x in 0..3 { model.grade(x) }
    let empty: list<int> = []
    let chosen: Class = ham
    let wait: duration = 30 min + 2 * 5 s
    let ratio = wait / 1 h
    let table = ["a": 1, "b": 2]
    let more = [...empty, ...keys_of(table), table["a"]]
    let _seen = stats(path("x")).mean
    let comment = Comment(id: "1", content: "hi")
    let note = "{label(chosen)} {ratio} {more} {comment.id} {later(2)} {chosen in [ham, spam]}"
    finally {
        tell("ended: {status}, {rounds}")
    }
    return (all: sub.all, count: parts.count, grades: grades, note: note)
}

fn keys_of(m: map<string, int>) = for k in keys(m) { length(k) }

target here = local { jobs: 2, memory: 4 GiB, store: ".couler", fail_fast: true, container: "podman" }
target prod = argo {
    namespace: "ml"
    artifacts: s3(bucket: "models", key_prefix: "x/")
    node_selector: ["disk": "ssd"]
    image_pull_secrets: ["regcred"]
    ttl: 2 d
}

test "the fns do what they say" {
    let c = Comment(id: "1", content: "x", class: Class.spam)
    expect twice(2) == 4
    expect c.class == spam
    expect label(ham) == "good"
    expect matches("abc", r"^a.c$")
}
