couler 1

schema Row { id: string }
enum Class { ham, spam }

transform tidy(r: Row) {
    where r.id != ""
    ...r
}
labeler weak(r: Row) -> Class {      //! CW0413 a labeler
    vote spam when r.id == "1" as one
}
task train(data: file, depth: int) -> (score: float) {
    run python "score = 1.0"
}
workflow main(data: file, rows: file<csv>) -> (score: float) {
    let best = tune train(data: data, depth: in 2..8) maximize score using grid() //! CW0413 `tune`
    let x = rows |> weak
    return best.score
}
