couler 1

/// Of the left file.
task fit() -> (a: int = stdout) { run ["fit", "left"] }

fn _one() -> int = 1

workflow both() -> (n: int) { return (n: fit().a + _one()) }

workflow unused() { fit() }
