couler 1

schema Inner { a: int }
schema Row {
    id: string where length(idd) < 3      //! CW0201 did you mean `id`
    n: int where n + 1                    //! CW0301 expected `bool`
    inner: Inner                          //! CW0316 a column cannot be of type `Inner`
    f: file                               //! CW0316 a column cannot be of type `file`
    id: string                            //! CW0202 `id` is declared twice
}
schema Renamed {
    weight: float from "Weight (g)"
    mass: float from "Weight (g)"         //! CW0202 `Weight (g)` is declared twice
    year: int from "id"
    id: string                            //! CW0202 `id` is declared twice
}
fn make() = Row(id: "1", n: "2")          //! CW0301 write `2` //! CW0211 lacks
