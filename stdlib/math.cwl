couler 1

/// The ratio of a circle's circumference to its diameter.
fn pi() -> float = 3.141592653589793

/// The base of the natural logarithm.
fn e() -> float = 2.718281828459045

/// -1, 0 or 1: the sign of `x`.
fn sign(x: float) -> int = if x > 0.0 { 1 } else if x < 0.0 { -1 } else { 0 }

/// Whether `n` is a multiple of two.
fn is_even(n: int) -> bool = n % 2 == 0

/// `n` divided by `by`, rounded up.
fn ceil_div(n: int, by: int) -> int = -((-n) div by)

/// How many per cent `part` is of `whole`.
fn percent(part: float, whole: float) -> float = 100.0 * part / whole

/// The point that lies `t` of the way from `a` to `b`.
fn mix(a: float, b: float, t: float) -> float = a + (b - a) * t

/// The tangent of `x` radians.
fn tan(x: float) -> float = sin(x) / cos(x)

/// An angle of `degrees` in radians.
fn radians(degrees: float) -> float = degrees * pi() / 180.0

/// The length of the hypotenuse over `a` and `b`.
fn hypot(a: float, b: float) -> float = sqrt(a * a + b * b)

/// The logistic function, 1 / (1 + e^-x).
fn logistic(x: float) -> float = 1.0 / (1.0 + exp(-x))

/// The harmonic mean of precision and recall; 0 where both are.
fn f1(precision: float, recall: float) -> float =
    if precision + recall == 0.0 {
        0.0
    } else {
        2.0 * precision * recall / (precision + recall)
    }

/// `n` numbers evenly spaced from `first` to `last`, both included; `n` is at least 2.
fn linspace(first: float, last: float, n: int) -> list<float> =
    for i in 0..n { mix(first, last, i / (n - 1)) }

/// `n` numbers from `first` to `last`, both included, each the same multiple of the one before; both
/// are above zero and `n` is at least 2. A grid for learning rates and the like.
fn logspace(first: float, last: float, n: int) -> list<float> =
    for i in 0..n { exp(mix(log(first), log(last), i / (n - 1))) }

/// The variance of `xs`, as of a whole population.
fn variance(xs: list<float>) -> float = _mean_square(xs, mean(xs))

/// The standard deviation of `xs`, as of a whole population.
fn stdev(xs: list<float>) -> float = sqrt(variance(xs))

/// The value that `q` of the items, 0 to 1, are not above; between two items, in proportion.
fn quantile(xs: list<float>, q: float) -> float =
    _between(sort(xs), q * (length(xs) - 1))

/// The item in the middle of `xs` in order, or the mean of the two there.
fn median(xs: list<float>) -> float = quantile(xs, 0.5)

fn _mean_square(xs: list<float>, centre: float) -> float =
    mean(for x in xs { (x - centre) ** 2.0 })

fn _between(sorted: list<float>, at: float) -> float =
    mix(sorted[floor(at)], sorted[ceil(at)], at - floor(at))
