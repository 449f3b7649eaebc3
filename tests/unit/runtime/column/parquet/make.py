"""Makes the Parquet files of parquet_test.cpp, beside this script, with pyarrow; and the same rows
as JSON Lines."""

import json
import math
import pathlib
import random

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
ROWS, GROUP = 600, 100
SCHEMA = pa.schema([
    pa.field("n", pa.int64()), pa.field("i", pa.int32(), nullable=False),
    pa.field("x", pa.float64()), pa.field("f", pa.float32(), nullable=False),
    pa.field("b", pa.bool_()), pa.field("s", pa.string()),
    pa.field("p", pa.string(), nullable=False), pa.field("t", pa.timestamp("us", "UTC"))])


def rows():
    pick = random.Random(3)
    for at in range(ROWS):
        group = at // GROUP
        none = group != 2 and pick.random() < 0.1  # the third group lacks no value
        nan = group == 3 or pick.random() < 0.1  # the fourth has no number in x
        yield {
            "n": None if none else at // 10 - 20,
            "i": pick.randrange(-50, 50),
            "x": None if none and group == 1 else math.nan if nan else pick.choice([0.0, -0.0, at / 8]),
            "f": math.nan if nan and group == 4 else pick.randrange(100) / 4,
            "b": None if none else pick.random() < 0.5,
            "s": None if none else pick.choice(["", "a", "é", "long enough for any prefix"]) + str(group),
            "p": f"row {at}",
            "t": None if none else 1_700_000_000_000_000 + at,
        }


def shown(row):
    row = {name: value for name, value in row.items() if value is not None}
    for name in ("x", "f"):
        if name in row and math.isnan(row[name]):
            row[name] = "nan"
    if "t" in row:
        seconds = row["t"] // 1_000_000
        row["t"] = f"2023-11-14T22:13:{20 + seconds - 1_700_000_000:02}.{row['t'] % 1_000_000:06}Z"
    return json.dumps(row)


def main():
    made = list(rows())
    table = pa.Table.from_pylist(made, SCHEMA)
    usual = {"row_group_size": GROUP, "use_dictionary": ["s", "i"]}
    pq.write_table(table, HERE / "groups.parquet", **usual)
    # Pages that end at different rows in different columns, in the other form of the format.
    pq.write_table(table, HERE / "pages.parquet", row_group_size=4 * GROUP, data_page_version="2.0",
                   data_page_size=300, write_batch_size=16, compression="zstd", use_dictionary=["s"])
    pq.write_table(table, HERE / "bare.parquet", write_statistics=False, **usual)
    (HERE / "groups.jsonl").write_text("".join(shown(row) + "\n" for row in made))
    # Not UTF-8 in the second and the last group, in a listed text and in a plain one.
    wrong = [b"ok", b"\xff"]
    listed = pa.array([wrong[at in (150, 599)] for at in range(ROWS)], pa.binary()).view(pa.string())
    plain = pa.array([wrong[at == 151] + str(at).encode() for at in range(ROWS)],
                     pa.binary()).view(pa.string())
    n = pa.array([None if at == 250 else at for at in range(ROWS)], pa.int64())
    z = pa.array([-1 if at == 350 else at for at in range(ROWS)], pa.int64())
    pq.write_table(pa.table({"n": n, "s": listed, "p": plain, "z": z, "x": table["x"]}),
                   HERE / "dirty.parquet", row_group_size=GROUP, use_dictionary=["s"])


main()
