couler 1

// Names that several files use.
import "./clash/left.cwl" as left
import "./clash/right.cwl" { fit as right_fit, glue }

task fit() -> (a: int = stdout) { run ["fit", "0"] }

workflow main() -> (n: int) {
    let x = fit()
    let y = left.fit()
    let z = right_fit(extra: "more.txt")
    let w = left.both()
    return x.a + y.a + z.a + glue(w.n)
}
