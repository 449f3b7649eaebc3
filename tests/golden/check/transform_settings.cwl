couler 1

enum Tone { low, high, mid }
schema Flight { carrier: string, dist: int, tone: Tone? }

fn cores(n: int) -> float = n * 2.0

transform good(f: Flight) {
    resources { cpu: cores(2), memory: 2 GiB, disk: 10 GiB }
    timeout   30 min
    retry     2 { backoff: 5 s, on: [transient, oom], exit_codes: [3] }
    ...f
    timeout = f.dist
    retry = 1
}
transform bad(rows: table<Flight>, n: int) {
    resources { gpu: 1, cpus: 2, memory: 4, memory: 1 GiB, cpu: 0, disk: rows.dist } //! CW0449 nothing that a transform uses //! CW0201 did you mean `cpu` //! CW0301 a size has a unit //! CW0212 `memory` //! CW0449 `cpu` is zero //! CW0317 `table<Flight>` has no fields
    timeout   n                //! CW0301 a duration has a unit //! CW0420 known only at run time
    retry     -1 { on: [never] } //! CW0449 `retry` is below zero //! CW0201 there are `transient`
    order by rows.tone desc, rows.dist
}
