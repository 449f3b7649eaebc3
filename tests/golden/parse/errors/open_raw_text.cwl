couler 1
task t() {
    run sh """
   foo
}

task u() { run ["a"] }
