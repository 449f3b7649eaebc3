couler 1

fn wide() -> duration = 200000000 d   //! CW0311 out of range
fn sum_of(a: duration, b: size) = a + b //! CW0302 do not mix
fn times(a: duration) -> duration = a * 2 + a / 2.0 - 5 ms
fn ratio(a: size) -> float = a / 4 KiB
fn compare(a: size) -> bool = a > 30 min //! CW0302 do not mix
