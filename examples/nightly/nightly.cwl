couler 1

// A nightly job as they are: an unreliable source, a check that decides what is done, a loop until
// the numbers settle, and a note at the end whether or not all went well.

enum Verdict { fresh, stale }

/// Fails the first two times, as a busy server does; tried again with growing pauses.
volatile task fetch(folder: string) -> (orders: file<csv> = "orders.csv") {
    retry   4 { backoff: 50 ms, on: [transient] }
    timeout 1 min
    run sh """
        mkdir -p "$folder"
        tries=$(cat "$folder/tries" 2>/dev/null || echo 0)
        echo $((tries + 1)) > "$folder/tries"
        if [ "$tries" -lt 2 ]; then
            echo "503 Service Unavailable" >&2
            exit 75
        fi
        rm "$folder/tries"
        printf 'id,amount\n1,40\n2,2\n3,58\n' > "$orders"
        """
}

task inspect(orders: file<csv>, at_least: int) -> (verdict: Verdict, rows: int) {
    run sh """
        rows=$(($(wc -l < "$orders") - 1))
        if [ "$rows" -ge "$at_least" ]; then verdict=fresh; else verdict=stale; fi
        """
}

/// One step of Newton's method towards the square root of the total.
task improve(orders: file<csv>, guess: float) -> (guess_next: float, change: float) {
    run python """
        import csv

        with open(orders, newline="") as source:
            total = sum(float(row["amount"]) for row in csv.DictReader(source))
        guess_next = (guess + total / guess) / 2
        change = abs(guess_next - guess)
        """
}

task publish(value: float, note: string) -> (page: file<text> = "page.txt") {
    run sh """
        printf '%s: %s\n' "$note" "$value" > "$page"
        """
}

/// May fail: nobody promised that the archive is there.
task archive(page: file<text>, folder: string) -> (copy: string) {
    run sh """
        cp "$page" "$folder/"
        copy="$folder/$(basename "$page")"
        """
}

volatile task notify(status: string) -> (line: string = stdout) {
    run ["echo", "nightly job: {status}"]
}

workflow nightly(
    folder: string = "/tmp/couler-nightly",
    archive_to: string = "/nonexistent",
    at_least: int = 2,
) -> (page: file<text>, archived: string) {
    let got = fetch(folder)
    let seen = inspect(got.orders, at_least)

    let root = if seen.verdict == fresh {
        let settled = loop state = (guess: 1.0, change: 1.0) max 30 {
            let next = improve(got.orders, state.guess)
            (guess: next.guess_next, change: next.change)
        } until state.change < 0.000001
        settled.guess
    } else {
        0.0
    }
    let page = publish(root, note: "root of the total")
    let stored = try archive(page.page, archive_to)

    finally {
        notify(status)
    }
    return (page: page.page, archived: stored?.copy ?? "not archived")
}

target here = local { jobs: 2 }

target cluster = argo {
    namespace: "jobs",
    service_account: "nightly",
    image: "python:3.11-slim",
    artifacts: s3(bucket: "jobs"),
}
