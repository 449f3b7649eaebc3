"""Features of a table that grows: whole runs, as make and DVC know only, beside runs in parts."""

import hashlib
import pathlib
import random
import shutil

ROWS = 1_000_000
SHARD = "4MB"  # some 15 parts of the file

PROGRAM = """couler 1

schema Order {
    shop:   string
    item:   int        where item >= 0
    price:  float
    pieces: int
    at:     timestamp
    note:   string
}

transform features(o: Order) {
    where o.pieces > 0
    shop  = upper(trim(o.shop))
    day   = format_timestamp(o.at, "%Y-%m-%d")
    cents = int(round(o.price * 100.0)) * o.pieces
    words = length(split(o.note))
    item  = o.item
}

transform by_day(rows: table<features>) {
    group by rows.shop, rows.day
    orders = count()
    cents  = sum(rows.cents)
    dear   = max(rows.cents)
    words  = sum(rows.words)
    order by cents desc, rows.shop, rows.day
}

workflow daily(orders: file<csv>) -> (days: file<csv>) {
    return (days: read<Order>(orders, on_bad: drop) |> features |> by_day)
}
"""


def rows(count, seed):
    draw = random.Random(seed)
    notes = ["", "a gift", "call before you come", "leave it at the door, please", "fragile"]
    for _ in range(count):
        yield (
            f"shop {draw.randrange(40)},{draw.randrange(5000)},{draw.randrange(1, 20000) / 100},"
            f"{draw.randrange(0, 9)},2024-0{draw.randrange(1, 8)}-{draw.randrange(10, 29)}T"
            f'{draw.randrange(10, 24)}:{draw.randrange(10, 60)}:00Z,"{draw.choice(notes)}"\n'
        )


def write(path, count, appended):
    with open(path, "w") as out:
        out.write("shop,item,price,pieces,at,note\n")
        out.writelines(rows(count, 1))
        out.writelines(rows(appended, 2))


def digest(folder):
    found = list(pathlib.Path(folder).glob("objects/*/*/features.csv"))
    found += list(pathlib.Path(folder).glob("objects/*/*/by_day.csv"))
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def bench_shard(table, tools, work, repeat, measure):
    (work / "daily.cwl").write_text(PROGRAM)
    write(work / "before.csv", ROWS, 0)
    write(work / "after.csv", ROWS, ROWS // 100)
    run = [tools / "couler", "run", "daily.cwl", "orders=orders.csv", "--jobs", "2", "--quiet"]
    parts = run + ["--shard-size", SHARD]

    def fresh():
        shutil.rmtree(work / ".couler", ignore_errors=True)
        shutil.copy(work / "before.csv", work / "orders.csv")

    whole = measure(run, cwd=work, repeat=repeat, before=fresh)
    first = measure(parts, cwd=work, repeat=repeat, before=fresh)
    shutil.rmtree(work / "kept", ignore_errors=True)
    shutil.copytree(work / ".couler", work / "kept")

    def grown():
        shutil.rmtree(work / ".couler", ignore_errors=True)
        shutil.copytree(work / "kept", work / ".couler")
        shutil.copy(work / "after.csv", work / "orders.csv")

    again = measure(parts, cwd=work, repeat=repeat, before=grown)
    results = digest(work / ".couler")
    recomputed = measure(run, cwd=work, repeat=repeat, before=grown)
    ratio = again["cpu"] / recomputed["cpu"]
    same = digest(work / ".couler") == results  # the whole run adds no other bytes
    table.add(f"features of {ROWS:,} rows, one step", whole)
    table.add(f"  in parts of {SHARD}", first)
    table.add("  1 % appended, one step: all rows again", recomputed)
    table.add("  1 % appended, in parts", again, f"{ratio:.2f} x (<= 0.25), same bytes: {same}",
              ratio <= 0.25 and same)
