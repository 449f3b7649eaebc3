couler 1

task fit(conf: file = "fit.conf", extra: file?) -> (a: int = stdout) {
    run ["fit", conf, "{extra ?? conf}"]
}

fn _one() -> int = 10

fn glue(n: int) -> int = n + _one()
