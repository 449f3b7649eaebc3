couler 1
worflow w(a: int) {
    lett x = 3
    fro x in [1] { t(x) }
}
taks t(x: int) {
   imge "a"
    run bash """x"""
}
def f(x: int) -> int = x
schma S { a: int }
