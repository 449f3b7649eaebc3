#pragma once

#include <cstdint>
#include <string_view>

/// Programs that between them use all that the Argo backend expresses.
namespace couler::backends {

struct Program {
  std::string_view name;
  std::string_view text;
  std::uint64_t shardSize = 0;
};

inline constexpr std::string_view kTarget =
    "target prod = argo { namespace: \"ml\", service_account: \"trainer\", image: \"debian:12\", "
    "artifacts: s3(bucket: \"models\", endpoint: \"s3.local:9000\", key_prefix: \"runs\", secret: "
    "\"s3-keys\"), "
    "secrets: \"tokens\" }\n";

inline constexpr Program kPrograms[] = {
    {"diamond", R"cw(
task first(n: int, text: string) -> (a: int, b: string, out: file = "out.txt") {
    run python """
        a = n + 1
        b = text + "{{workflow.uid}}"
        open(out, "w").write(text)
        """
}
task left(a: int) -> (l: int) { run sh """l=$((a + 1))""" }
task right(b: string, data: file) -> (r: string = stdout) {
    run ["sh", "-c", "cat \"$1\"; echo \"$2\"", "x", data, b]
    timeout 90 s
    retry 2 { backoff: 5 s, max_backoff: 1 min, on: [transient, oom] }
    resources { cpu: 1.5, memory: 512 MiB, gpu: 1, disk: 1 GiB }
}
volatile task last(l: int, r: string) { run sh """echo "$l $r" """ }
workflow main(n: int = 3, text: string = "say \"hi\" \{\{x}} $(y)") -> (r: string, l: int) {
    let f = first(n: n, text: text)
    let x = left(a: f.a)
    let y = right(b: f.b, data: f.out)
    last(l: x.l, r: y.r) after f
    return (r: y.r, l: x.l)
}
)cw"},
    {"choice", R"cw(
task score(n: int) -> (value: float, name: string) { run python """value = n / 2; name = "x" """ }
task publish(n: float, note: string) -> (where: string) { run python """where = note""" }
task archive(n: float) -> (where: string) { run python """where = "archive" """ }
workflow main(n: int = 3) -> (where: string) {
    let s = score(n: n)
    let p = if s.value > 0.9 and s.name != "bad" { publish(n: s.value, note: "{s.name} is good") } else { archive(n: s.value) }
    return (where: p.where)
}
)cw"},
    {"fanout", R"cw(
task split(n: int) -> (parts: list<int>) { run python """parts = list(range(n))""" }
task count(part: int, base: int) -> (n: int, log: string, out: file = "count.txt") {
    run python """
        n = part * base
        log = str(part)
        open(out, "w").write(log)
        """
}
task total(ns: list<int>, files: list<file>) -> (sum: int) { run python """sum = len(ns) + len(files)""" }
workflow main(n: int = 3) -> (sum: int) {
    let s = split(n: n)
    let counts = for p in s.parts { count(part: p, base: n) }
    let t = total(ns: counts.n, files: counts.out)
    return (sum: t.sum)
}
)cw"},
    {"unrolled", R"cw(
task count(part: string) -> (out: file = "count.txt") { run sh """echo "$part" > "$out" """ }
task merge(files: list<file>) -> (all: string = stdout) {
    run ["cat", ...files]
}
workflow main() -> (all: string) {
    let parts = for p in ["a", "b\{x}"] { count(part: p) }
    let m = merge(files: parts.out)
    return (all: m.all)
}
)cw"},
    {"loop", R"cw(
task improve(x: float, step: int) -> (better: float, good: bool) { run python """better = x / 2; good = better < 0.1""" }
workflow main(start: float = 8.0, n: int = 10) -> (x: float) {
    let end = loop state = start max n {
        let next = improve(x: state, step: 1)
        next.better
    } until next.good
    return (x: end)
}
)cw"},
    {"attempt", R"cw(
task risky(n: int) -> (v: int, out: file = "o.txt") { run python """v = n; open(out, "w")""" }
task use(v: int) -> (w: int) { run sh """w=$v""" }
volatile task clean(status: string, token: secret) {
    run sh """echo "$status" """
    env { TOKEN: token }
}
workflow main(n: int = 1, token: secret) -> (w: int) {
    let r = try risky(n: n)
    let v = r?.v ?? 7
    let u = use(v: v)
    finally { clean(status: status, token: token) }
    return (w: u.w)
}
)cw"},
    {"files", R"cw(
task count(data: file, base: int) -> (n: int, log: file = "log.txt") {
    run python """
        n = len(open(data).read()) * base
        open(log, "w").write(str(n))
        """
}
task total(ns: list<int>, logs: list<file>) -> (sum: int) { run python """sum = len(ns) + len(logs)""" }
workflow main(parts: list<file>, base: int = 2) -> (sum: int) {
    let counts = for part in parts { count(data: part, base: base) }
    let t = total(ns: counts.n, logs: counts.log)
    return (sum: t.sum)
}
)cw"},
    {"calls", R"cw(
task step(n: int) -> (m: int) {
    run sh """m=$((n + 1))"""
    retry 3 { backoff: 2 s, exit_codes: [75, 111] }
}
task add(a: int, b: int) -> (sum: int) { run sh """sum=$((a + b))""" }
volatile task tell(status: string, n: int) { run sh """echo "$status $n" """ }
workflow part(n: int) -> (sum: int) {
    let one = step(n: n)
    let two = step(n: one.m)
    let s = add(a: one.m, b: two.m)
    finally { tell(status: status, n: n) }
    return (sum: s.sum)
}
workflow main(n: int = 1) -> (sum: int) {
    let first = part(n: n)
    let second = part(n: first.sum)
    return (sum: second.sum)
}
)cw"},
    {"tables", R"cw(
schema Row { name: string, score: float? }
transform tidy(r: Row) {
    resources { cpu: 3.5, memory: 1 GiB }
    where r.score > 0.0
    ...r
}
transform best(rows: table<tidy>, most: int) {
    resources { cpu: 2, memory: 2 GiB, disk: 4 GiB }
    timeout   10 min
    retry     2 { on: [oom] }
    order by rows.score desc
    limit most
}
workflow main(rows: file<csv>, most: int = 10) -> (best: file<csv>) {
    return (best: read<Row>(rows, on_bad: drop) |> tidy |> best(most))
}
)cw"},
    {"search", R"cw(
task train(rate: float, kind: string) -> (score: float, model: file) { run python """score = rate * len(kind); open(model, "w")""" }
task judge(model: file) -> (good: bool) { run sh """good=true""" }
workflow main() -> (score: float, rate: float, good: bool, model: file) {
    let best = tune train(kind: in ["tree", "linear"], rate: in [0.1, 0.5]) maximize score
    let judged = judge(best.model)
    return (score: best.score, rate: best.params.rate, good: judged.good, model: best.model)
}
)cw"},
    {"sharded", R"cw(
schema Row { name: string, score: float? }
transform best(rows: table<Row>) {
    group by rows.name
    n     = count()
    score = max(rows.score)
    order by score desc
}
workflow main(rows: file<csv>) -> (best: file<csv>) {
    return (best: read<Row>(rows, on_bad: drop) |> best)
}
)cw",
     64 << 20},
    {"halving", R"cw(
task train(rate: float, epochs: int, start: file? = none) -> (score: float, model: file) { run python """score = rate; open(model, "w")""" }
workflow main() -> (score: float, rate: float) {
    let best = tune train(rate: in 0.0 .. 1.0) minimize score
        using asha(trials: 2, resource: epochs, max: 2, reduction: 2, resume: start, checkpoint: model)
    return (score: best.score, rate: best.params.rate)
}
)cw"},
};

}  // namespace couler::backends
