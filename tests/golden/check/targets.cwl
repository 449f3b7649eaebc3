couler 1

workflow main() -> (n: int) {
    return 1
}

target a = local { job: 2, jobs: "2", memory: 4, container: "lxc" } //! CW0201 did you mean `jobs` //! CW0301 write `2` //! CW0301 a size has a unit //! CW0449 neither
target b = airflow { x: 1 }             //! CW0451 engine `airflow` is not built yet
target c = argos { namespace: "x" }     //! CW0201 did you mean `argo`
target d = argo { artifacts: s3(buckt: "m"), parallelism: 0 } //! CW0201 did you mean `bucket` //! CW0211 `s3` lacks `bucket` //! CW0449 `parallelism` is zero
target e = argo { artifacts: "m", namespace: "a", namespace: "b" } //! CW0449 no object store //! CW0212 `namespace`
