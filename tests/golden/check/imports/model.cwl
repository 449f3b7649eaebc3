couler 1

enum Grade { good, bad }

task train(data: file<csv>, depth: int = 4, rate: float = 0.1) -> (model: file = "model.json", score: float) {
    run python """
        score = 0.93
        """
}

fn grade(n: int) -> Grade? = if n > 1 { Grade.good } else { none }

fn _hidden(n: int) = n

fn uses_hidden(n: int) = _hidden(n)
