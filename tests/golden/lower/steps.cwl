couler 1

// Step names: the let's name, else the task's; repeats get numbers; `after`, `try`, `finally`.
import std.text

/// Counts the lines of a file.
task count(
    /// What to count.
    data: file,
    depth: int = 2 * 2,
    tag: string?
) -> (
    /// How many there are.
    n: int,
    list: file = "list.txt"
) {
    run sh """
        n=$(wc -l < "$data")
        printf '%s\n' "$tag" > "$list"
        """
}

volatile task publish(f: file, parts: list<file>, key: secret) {
    env { KEY: key; MODE: "0{depth()}" }
    run ["cp", f, ...parts, "--name={basename(f)}", 7, "/srv"]
}

task clean(why: string, root: dir) { run ["rm", "-r", root, why] }

fn depth() -> int = 1 + 1

workflow sub(data: file) -> (n: int) {
    return count(data, tag: text.slug("A b")).n
}

workflow main(data: file = "in/x.csv", key: secret, where: dir = "out") -> (total: int) {
    let a = count(data)
    let b = try count(a.list, depth: 1)
    count(data) after a
    publish(a.list, [a.list], key) after b, a.n
    let count_all = sub(data)
    let more = sub(data: a.list) after count_all
    sub(data)
    let here = file("fit.py")
    let all = glob("data/*.csv")
    let nested = count(data, depth: count(here).n)
    finally {
        clean(status, where)
        clean("again", where)
    }
    (total: more.n + nested.n + length(all))
}
