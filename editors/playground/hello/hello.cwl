couler 1

// Letters of a text: three counts side by side, then a table of them.
// Change a line and run it again: only the steps that it touches run anew.

/// How often a letter stands in a text.
task count(text: string, letter: string) -> (times: int) {
    run python """
        times = text.lower().count(letter)
        """
}

/// The counts as a table, the greatest first.
task tabulate(letters: list<string>, times: list<int>) -> (table: file<csv> = "letters.csv") {
    run python """
        import csv
        rows = sorted(zip(times, letters), reverse=True)
        with open(table, "w", newline="") as out:
            csv.writer(out).writerows([letter, n] for n, letter in rows)
        """
}

workflow hello(text: string = "The quick brown fox jumps over the lazy dog")
    -> (table: file<csv>, most: int)
{
    let letters = ["a", "e", "o"]
    let counts = for letter in letters { count(text, letter) }
    let result = tabulate(letters, counts.times)
    return (table: result.table, most: max(counts.times))
}

test "a sum" {
    expect sum([1, 2, 3]) == 6
}
