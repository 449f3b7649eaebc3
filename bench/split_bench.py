"""What `split` makes of workflows of many shapes, and what it costs."""

import json
import subprocess

PART = 1 << 20  # bytes that Argo takes


def bench_split(table, tools, work, repeat, measure, generate):
    ran = subprocess.run([tools / "split_sim"], stdout=subprocess.PIPE, text=True, check=True)
    for line in ran.stdout.splitlines():
        row = json.loads(line)
        seconds = {"cpu": row.get("cpu", 0.0), "wall": row.get("cpu", 0.0), "mb": 0}
        if row["kind"] == "partition":
            ok = not row["cyclic"] and (row["inflation"] <= 1.05 or row["steps"] > 100_000)
            target = f"{row['parts']} parts, makespan x {row['inflation']:.3f} (<= 1.05)"
            ok = ok and (row["cpu"] <= 0.3 or row["steps"] > 110_000)
            table.add(f"cut {row['shape']}", seconds, target, ok)
        elif row["kind"] == "argo":
            ok = row["most"] <= PART and row["inflation"] <= 1.05
            table.add(f"  emitted for Argo: {row['shape']}", {**seconds, "cpu": row["cpu"] + row["emitting"]},
                      f"{row['parts']} parts, largest {row['most'] / 1e6:.2f} MB, x {row['inflation']:.3f}", ok)
        else:
            print(f"  {line}")
    source = work / "layered.cwl"
    generate("layered", 100_000, source)
    result = measure([tools / "couler", "build", source, "--target", "argo", "-o", work / "out.yaml"], repeat=repeat)
    most = max(len(text) for text in (work / "out.yaml").read_text().split("\n---\n"))
    table.add("couler build, ten layers of 10,000, in parts", result,
              f"largest {most / 1e6:.2f} MB; <= 5 CPU s, 1 GB", most <= PART and result["cpu"] <= 5 and result["mb"] <= 1000)
