"""stats_peers.py PEER FILE: statistics of all columns of a CSV file, one thread.

Ends with 3 where the peer is not installed. Each gives for numbers count, mean, std, least, greatest
and quartiles, for the rest count, different values and the most frequent; so about what
`couler data stats` gives.
"""
import sys


def pandas(path):
    import pandas as pd

    table = pd.read_csv(path, parse_dates=["start"])
    table.describe(include="all")
    for name in table.columns:
        table[name].isna().sum()
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name].value_counts().head(20)


def polars(path):
    import os

    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl

    table = pl.read_csv(path, try_parse_dates=True)
    table.describe()
    for name in table.columns:
        table[name].n_unique()
        if not table[name].dtype.is_numeric():
            table[name].value_counts(sort=True).head(20)


def duckdb(path):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.execute(f"summarize from read_csv('{path}')").fetchall()


try:
    {"pandas": pandas, "polars": polars, "duckdb": duckdb}[sys.argv[1]](sys.argv[2])
except ImportError:
    sys.exit(3)
