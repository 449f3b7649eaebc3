"""csv_peers.py FILE BINARY [PYTHON]: MB a CPU second of typed CSV reading, one thread each, best of
five; the peers are those of PYTHON.

The file has the columns id, count (ints), price, ratio (floats), name, city, note (strings) and
flag (bool). Peers that are not installed are left out.
"""
import os
import subprocess
import sys

PEERS = {
    "polars": """
import os; os.environ["POLARS_MAX_THREADS"] = "1"
import polars as pl
S = {"id": pl.Int64, "count": pl.Int64, "price": pl.Float64, "ratio": pl.Float64,
     "name": pl.String, "city": pl.String, "flag": pl.Boolean, "note": pl.String}
run = lambda: pl.read_csv(FILE, schema=S).height
""",
    "pyarrow": """
import pyarrow as pa, pyarrow.csv as c
pa.set_cpu_count(1); pa.set_io_thread_count(1)
S = {"id": pa.int64(), "count": pa.int64(), "price": pa.float64(), "ratio": pa.float64(),
     "name": pa.string(), "city": pa.string(), "flag": pa.bool_(), "note": pa.string()}
def run():
    o = c.ConvertOptions(column_types=S)
    r = c.open_csv(FILE, read_options=c.ReadOptions(use_threads=False, block_size=1 << 20),
                   parse_options=c.ParseOptions(newlines_in_values=True), convert_options=o)
    return sum(b.num_rows for b in r)
""",
    "duckdb": """
import duckdb
con = duckdb.connect(); con.execute("set threads = 1")
T = ("{'id':'BIGINT','count':'BIGINT','price':'DOUBLE','ratio':'DOUBLE','name':'VARCHAR',"
     "'city':'VARCHAR','flag':'BOOLEAN','note':'VARCHAR'}")
Q = (f"select count(id), sum(count), sum(price), sum(ratio), max(length(name)), "
     f"max(length(city)), count(flag), max(length(note)) "
     f"from read_csv('{FILE}', header=true, auto_detect=false, delim=',', quote='\\"', "
     f"escape='\\"', columns={T})")
run = lambda: con.execute(Q).fetchone()[0]
""",
    "pandas": """
import pandas as pd
S = {"id": "int64", "count": "int64", "price": "float64", "ratio": "float64",
     "name": "str", "city": "str", "flag": "bool", "note": "str"}
run = lambda: len(pd.read_csv(FILE, dtype=S))
""",
}
TIMED = """
import time
best = 1e9
for _ in range(5):
    start = time.process_time(); rows = run(); best = min(best, time.process_time() - start)
print(rows, best)
"""
COLUMNS = ["id:int", "count:int", "price:float", "ratio:float", "name:string", "city:string",
           "flag:bool", "note:string"]


def main():
    file, binary = sys.argv[1:3]
    python = sys.argv[3] if len(sys.argv) > 3 else sys.executable
    megabytes = os.path.getsize(file) / 1e6
    ours = []
    for _ in range(5):
        out = subprocess.run([binary, file, *COLUMNS], check=True, capture_output=True, text=True)
        rows, _, seconds = out.stdout.split()
        ours.append(float(seconds))
    print(f"couler   {rows:>9} rows {min(ours):7.3f} CPU s {megabytes / min(ours):7.0f} MB/s")
    for name, code in PEERS.items():
        script = f"FILE = {file!r}\n{code}{TIMED}"
        done = subprocess.run([python, "-c", script], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{name:8} left out: {done.stderr.strip().splitlines()[-1]}")
            continue
        rows, seconds = done.stdout.split()[-2:]  # DuckDB may show its progress before
        print(f"{name:8} {rows:>9} rows {float(seconds):7.3f} CPU s "
              f"{megabytes / float(seconds):7.0f} MB/s")


main()
