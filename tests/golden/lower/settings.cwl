couler 1

// Settings, targets and tests.
fn cores() -> int = 2

task train(data: file<csv> = "train.csv") -> (model: dir, log: string = stdout) {
    image     "python:3.{5 + 6}-slim"
    resources { cpu: cores() / 4, memory: 2 * 512 MiB, gpu: 1, disk: 10 GB }
    timeout   2 * 15 min
    retry     cores() { backoff: 5 s, max_backoff: 1 min, factor: 3, on: [oom, exit, oom], exit_codes: [1, 2 + 3] }
    cache     false
    run ["train", data, model]
}

workflow main() { train() }

target here = local { jobs: cores() * 2, memory: 4 GiB, fail_fast: true }
target prod = argo {
    namespace: "ml"
    ttl: 2 h
    artifacts: s3(bucket: "b", key_prefix: "runs/{cores()}")
    node_selector: ["disk": "ssd"]
    image_pull_secrets: ["one"]
}

test "cores" {
    let n = cores()
    expect n == 2
    expect n + 0.5 > 2
}
