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
workflow main(rows: file<csv>) {
    let x = rows |> weak
}
