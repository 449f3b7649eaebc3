"""table_peers.py PEER FOLDER THREADS REPEAT NAME...: the pipelines of bench/pipelines.cwl with one
of the libraries that people use, over the same tables, held in memory as that library holds them.

Prints a JSON object a pipeline, as bench/pipelines.cpp does; PEER is polars, duckdb, pyarrow, pandas
or numpy. A pipeline that a library has no good way to write is left out. What is timed ends when the
whole result is in memory. Ends with 3 when the library is not installed.
"""
import json
import os
import sys
import time

PEER, FOLDER, THREADS, REPEAT, NAMES = (
    sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
for variable in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(THREADS)

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.ipc
    if PEER in ("polars", "duckdb", "pandas"):
        __import__(PEER)
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)
pa.set_cpu_count(THREADS)

TABLES = {"arithmetic": ["trips"], "bucketise": ["trips"], "clean": ["texts"],
          "features": ["texts"], "by_int": ["trips"], "by_string": ["trips"],
          "joined": ["trips", "places"]}
BOUNDS = [3.5, 7.0, 10.5, 14.0, 17.5, 21.0, 24.5, 28.0]


def load(name):
    with pa.ipc.open_file(f"{FOLDER}/{name}.arrow") as file:
        rows = file.read_all()
    if "at" in rows.column_names:  # in UTC: what a zone costs is not what is compared
        at = rows.column_names.index("at")
        rows = rows.set_column(at, "at", rows["at"].cast(pa.timestamp("us")))
    return rows


class Polars:
    def __init__(self):
        import polars as pl
        self.pl = pl

    def table(self, rows):
        return self.pl.from_arrow(rows).rechunk()

    def arithmetic(self, t):
        pl = self.pl
        total = (pl.col("fare") + pl.col("tip")) * 1.08
        return t.lazy().select(
            total=total, rate=(total / pl.col("miles")).sqrt(),
            load=pl.col("riders") * pl.col("seconds") + 60).collect()

    def bucketise(self, t):
        pl = self.pl
        m = pl.col("miles")
        bucket = pl.when(m < BOUNDS[0]).then(0)
        for i, bound in enumerate(BOUNDS[1:], 1):
            bucket = bucket.when(m < bound).then(i)
        return t.lazy().select(
            **{"class": bucket.otherwise(8)},
            weight=pl.when(pl.col("riders") > 2).then(m * 1.5).otherwise(m + 2.0)).collect()

    def clean(self, t):
        note = self.pl.col("note")
        return t.lazy().filter(note.str.contains("[0-9]{4} Del")).select(
            note.str.strip_chars().str.to_lowercase()).collect()

    def features(self, t):
        pl = self.pl
        return t.lazy().filter(
            (pl.col("miles") > 5) & pl.col("note").str.contains("Delayed", literal=True)
        ).select(
            length=pl.col("note").str.len_chars(),
            miles=pl.col("miles") * pl.when(pl.col("zone").str.starts_with("us-")).then(1.0)
            .otherwise(0.5),
            hour=pl.col("at").dt.hour()).collect()

    def group(self, t, key):
        pl = self.pl
        return t.lazy().group_by(key).agg(
            n=pl.len(), miles=pl.col("miles").sum(), top=pl.col("seconds").max()).collect()

    def joined(self, t, places):
        return t.lazy().join(places.lazy(), left_on="place", right_on="id").select(
            "place", "miles", "name", "lat").collect()

    def arrow(self, result):
        return result.to_arrow()


class Duckdb:
    def __init__(self):
        import duckdb
        self.con = duckdb.connect()
        self.con.execute(f"set threads = {THREADS}")
        self.con.execute("set enable_progress_bar = false")
        self.count = 0

    def table(self, rows):
        self.count += 1
        self.con.register("given", rows)
        self.con.execute(f"create table t{self.count} as select * from given")
        self.con.unregister("given")
        return f"t{self.count}"

    def query(self, text):
        return self.con.sql(text).to_arrow_table()

    def arithmetic(self, t):
        return self.query(f"""select (fare + tip) * 1.08::double as total,
            sqrt((fare + tip) * 1.08::double / miles) as rate,
            riders * seconds + 60 as load from {t}""")

    def bucketise(self, t):
        cases = " ".join(f"when miles < {b}::double then {i}" for i, b in enumerate(BOUNDS))
        return self.query(f"""select case {cases} else 8 end as class,
            case when riders > 2 then miles * 1.5::double else miles + 2.0::double end as weight
            from {t}""")

    def clean(self, t):
        return self.query(f"""select lower(trim(note)) as note from {t}
            where regexp_matches(note, '[0-9]{{4}} Del')""")

    def features(self, t):
        return self.query(f"""select length(note) as length,
            miles * case when starts_with(zone, 'us-') then 1.0::double else 0.5::double end,
            hour("at") as hour from {t}
            where miles > 5 and contains(note, 'Delayed')""")

    def group(self, t, key):
        return self.query(f"""select {key}, count(*) as n, sum(miles) as miles,
            max(seconds) as top from {t} group by {key}""")

    def joined(self, t, places):
        return self.query(f"""select place, miles, name, lat from {t}
            join {places} on {t}.place = {places}.id""")

    def arrow(self, result):
        return result


class Pyarrow:
    def table(self, rows):
        return rows.combine_chunks()

    def arithmetic(self, t):
        total = pc.multiply(pc.add(t["fare"], t["tip"]), 1.08)
        return pa.table({
            "total": total, "rate": pc.sqrt(pc.divide(total, t["miles"])),
            "load": pc.add(pc.multiply(t["riders"], t["seconds"]), 60)})

    def bucketise(self, t):
        m = t["miles"]
        conditions = pc.make_struct(*[pc.less(m, b) for b in BOUNDS])
        return pa.table({
            "class": pc.case_when(conditions, *[pa.scalar(i) for i in range(9)]),
            "weight": pc.if_else(pc.greater(t["riders"], 2), pc.multiply(m, 1.5),
                                 pc.add(m, 2.0))})

    def clean(self, t):
        note = t["note"].filter(pc.match_substring_regex(t["note"], "[0-9]{4} Del"))
        return pa.table({"note": pc.utf8_lower(pc.utf8_trim_whitespace(note))})

    def features(self, t):
        kept = t.filter(pc.and_(pc.greater(t["miles"], 5.0),
                                pc.match_substring(t["note"], "Delayed")))
        scale = pc.if_else(pc.starts_with(kept["zone"], "us-"), 1.0, 0.5)
        return pa.table({"length": pc.utf8_length(kept["note"]),
                         "miles": pc.multiply(kept["miles"], scale), "hour": pc.hour(kept["at"])})

    def group(self, t, key):
        return t.group_by(key, use_threads=THREADS > 1).aggregate(
            [([], "count_all"), ("miles", "sum"), ("seconds", "max")])

    def joined(self, t, places):
        return t.select(["place", "miles"]).join(
            places, "place", "id", join_type="inner", use_threads=THREADS > 1
        ).select(["place", "miles", "name", "lat"])

    def arrow(self, result):
        return result


class Pandas:
    def __init__(self):
        import pandas as pd
        self.pd = pd

    def table(self, rows):
        return rows.to_pandas()

    def arithmetic(self, t):
        total = (t["fare"] + t["tip"]) * 1.08
        return self.pd.DataFrame({"total": total, "rate": np.sqrt(total / t["miles"]),
                                  "load": t["riders"] * t["seconds"] + 60})

    def bucketise(self, t):
        m = t["miles"]
        return self.pd.DataFrame({
            "class": np.searchsorted(BOUNDS, m.to_numpy(), side="right"),
            "weight": np.where(t["riders"] > 2, m * 1.5, m + 2.0)})

    def clean(self, t):
        note = t["note"][t["note"].str.contains("[0-9]{4} Del", na=False)]
        return self.pd.DataFrame({"note": note.str.strip().str.lower()})

    def features(self, t):
        kept = t[(t["miles"] > 5) & t["note"].str.contains("Delayed", regex=False, na=False)]
        return self.pd.DataFrame({
            "length": kept["note"].str.len(),
            "miles": kept["miles"] * np.where(kept["zone"].str.startswith("us-"), 1.0, 0.5),
            "hour": kept["at"].dt.hour})

    def group(self, t, key):
        return t.groupby(key, sort=False).agg(
            n=("miles", "size"), miles=("miles", "sum"), top=("seconds", "max")).reset_index()

    def joined(self, t, places):
        return t[["place", "miles"]].merge(places, left_on="place", right_on="id")[
            ["place", "miles", "name", "lat"]]

    def arrow(self, result):
        return pa.Table.from_pandas(result, preserve_index=False)


class Numpy:
    """Columns as arrays, none as NaN. No regular expressions."""

    def table(self, rows):
        rows = rows.combine_chunks()
        return {c: rows[c].to_numpy() for c in rows.column_names
                if not pa.types.is_string(rows.schema.field(c).type)} | {"rows": rows.num_rows}

    def arithmetic(self, t):
        total = (t["fare"] + t["tip"]) * 1.08
        return {"total": total, "rate": np.sqrt(total / t["miles"]),
                "load": t["riders"] * t["seconds"] + 60}

    def bucketise(self, t):
        m = t["miles"]
        return {"class": np.searchsorted(BOUNDS, m, side="right"),
                "weight": np.where(t["riders"] > 2, m * 1.5, m + 2.0)}

    def group(self, t, key):
        if key != "place":
            raise NotImplementedError
        keys, groups = np.unique(t["place"], return_inverse=True)
        top = np.full(len(keys), np.iinfo(np.int64).min)
        np.maximum.at(top, groups, t["seconds"])
        return {"place": keys, "n": np.bincount(groups),
                "miles": np.bincount(groups, weights=t["miles"]), "top": top}

    def arrow(self, result):
        return pa.table(result)


def sums(result):
    """As pipelines.cpp: what numbers are and of what bytes texts are made; cells with a value."""
    found = []
    for column in result.columns:
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_floating(column.type):
            column = column.filter(pc.invert(pc.is_nan(column)).fill_null(False))
            found.append([pc.sum(column).as_py() or 0, len(column)])
        elif pa.types.is_integer(column.type):
            found.append([float(pc.sum(column.cast(pa.float64())).as_py() or 0),
                          len(column) - column.null_count])
        else:
            text = pa.array(column.drop_null(), pa.large_string())
            offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)
            first = offsets[text.offset]
            last = offsets[text.offset + len(text)]
            data = np.frombuffer(text.buffers()[2], dtype=np.uint8)[first:last]
            found.append([float(data.sum(dtype=np.int64)), len(text)])
    return found


def main():
    peer = {"polars": Polars, "duckdb": Duckdb, "pyarrow": Pyarrow, "pandas": Pandas,
            "numpy": Numpy}[PEER]()
    tables = {}
    for name in NAMES:
        method = getattr(peer, "group" if name.startswith("by_") else name, None)
        if method is None:
            continue
        needed = []
        for table in TABLES[name]:
            if table not in tables:
                rows = load(table)
                tables[table] = rows.num_rows, peer.table(rows)
                del rows
            needed.append(tables[table][1])
        if name.startswith("by_"):
            needed.append("place" if name == "by_int" else "city")
        wall, cpu, result = 1e9, 1e9, None
        try:
            for _ in range(REPEAT):
                result = None
                wall_start, cpu_start = time.perf_counter(), time.process_time()
                result = method(*needed)
                wall = min(wall, time.perf_counter() - wall_start)
                cpu = min(cpu, time.process_time() - cpu_start)
        except NotImplementedError:
            continue
        made = peer.arrow(result)
        print(json.dumps({"name": name, "wall": wall, "cpu": cpu,
                          "rows": max(tables[t][0] for t in TABLES[name]), "made": made.num_rows,
                          "sums": sums(made)}), flush=True)


main()
