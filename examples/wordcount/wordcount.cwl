couler 1

// Counts the words of every file of a folder, each file in a step of its own, and adds them up.

/// `count word` lines, sorted by word.
task count(book: file) -> (words: file = "words.txt") {
    run sh """
        tr -cs '[:alpha:]' '[\n*]' < "$book" | tr '[:upper:]' '[:lower:]' |
            grep . | LC_ALL=C sort | uniq -c > "$words"
        """
}

/// The sum over all files, the most frequent words first.
task gather(parts: list<file>) -> (totals: file = "totals.txt", distinct: int) {
    run sh """
        printf '%s\n' "$parts" | tr '\n' '\0' | xargs -0 cat |
            awk '{ n[$2] += $1 } END { for (w in n) print n[w], w }' |
            LC_ALL=C sort -k1,1nr -k2,2 > "$totals"
        distinct=$(wc -l < "$totals")
        """
}

/// The first lines, for people.
task top(totals: file, lines: int) -> (words: string = stdout) {
    run ["head", "-n", lines, totals]
}

workflow wordcount(books: list<file> = glob("books/*.txt"), lines: int = 5)
    -> (totals: file, distinct: int, top: string)
{
    let counted = for book in books {
        count(book)
    }
    let sum = gather(counted.words)
    let most = top(sum.totals, lines)
    return (totals: sum.totals, distinct: sum.distinct, top: most.words)
}
