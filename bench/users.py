"""Workloads with section access: one user's part of a model, and many users of one model."""
import itertools
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

import polars as pl

from answers import answers, same
from models import flights, tpch
from peers import DuckStar, PolarsFlat

HERE = os.path.dirname(os.path.abspath(__file__))
N_USERS = 100


def lock(name, user):
    """The field that limits a user, and the values that stay: 5 % of the customers, or two carriers."""
    if name == "tpch":
        return {"c_bucket": [(user * 5 + k) % 100 for k in range(5)]}
    carriers = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
    return {"carrier": list(list(itertools.combinations(carriers, 2))[user])}


def script(name, n_users):
    """The load script of workload W1 with section access for the users."""
    field, = lock(name, 0)
    text = open(f"{HERE}/w1_{name}.qvs").read()
    # A reduction field is written in capitals.
    text = re.sub(rf"\b{field}\b(?!\.csv)", field.upper(), text) if name == "flights" else text.replace(field, field.upper())
    rows = "\n".join(f"USER,BENCH\\USER{u},{v}" for u in range(n_users) for v in lock(name, u)[field])
    if name == "flights":
        text = text.replace("LOAD CARRIER", "LOAD carrier AS CARRIER").replace("origin, CARRIER", "origin, carrier AS CARRIER")
    return f"SECTION ACCESS;\nLOAD * INLINE [\nACCESS,USERID,{field.upper()}\n{rows}\n];\nSECTION APPLICATION;\n{text}"


def ours_with(name, files, ours, n_users, *args):
    with tempfile.NamedTemporaryFile("w", suffix=".qvs") as file:
        file.write(script(name, n_users))
        file.flush()
        done = subprocess.run([ours, args[0], "--files", files, "--script", file.name, *args[1:]],
                              check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def run_reduction(files, ours):
    """W5 on TPC-H. Returns what differs."""
    model, select = tpch(files), lock("tpch", 0)
    result = ours_with("tpch", files, ours, 1, "reduction", "--repeats", "5")
    star = DuckStar(model)

    def duck(target):
        def work():
            star.db.execute(f"CREATE SCHEMA {target}" if target == "part_of" else f"ATTACH '{target}' AS part_of")
            for table in model.tables:
                star.db.execute(f"CREATE TABLE part_of.{table} AS SELECT * FROM main.{table} WHERE {model.alive(table, select, star.home)}")
            n = sum(star.db.execute(f"SELECT count(*) FROM part_of.{t}").fetchone()[0] for t in model.tables)
            star.db.execute("DROP SCHEMA part_of CASCADE" if target == "part_of" else "DETACH part_of")
            return n
        return work

    def polars(folder):
        frames = {t: pl.from_arrow(star.db.sql(f"SELECT * FROM main.{t}").to_arrow_table()) for t in model.tables}

        def part(table, came_from=None):
            frame = frames[table]
            for field, values in select.items():
                if star.home[field] == table:
                    frame = frame.filter(pl.col(field).is_in(values))
            for other, key, other_key in model.near[table]:
                if other != came_from and model.has_selection(other, select, star.home, table):
                    frame = frame.join(part(other, table), left_on=key, right_on=other_key, how="semi")
            return frame

        def work():
            n = 0
            for table in model.tables:
                frame = part(table)
                frame.write_parquet(f"{folder}/{table}.parquet", compression="zstd")
                n += len(frame)
            return n
        return work
    with tempfile.TemporaryDirectory() as folder:
        rows = [("satchel, mask", statistics.median(result["mask_ms"]), result["rows"], None),
                ("satchel, file", statistics.median(result["file_ms"]), result["rows"], result["bytes"])]
        for name, work, place in (("duckdb, in memory", duck("part_of"), None),
                                  ("duckdb, file", duck(f"{folder}/part.duckdb"), f"{folder}/part.duckdb"),
                                  ("polars, Parquet zstd", polars(folder), folder)):
            start = time.perf_counter()
            n = work()
            ms = (time.perf_counter() - start) * 1e3
            if place and os.path.isdir(place):
                size = sum(os.path.getsize(f"{place}/{t}.parquet") for t in model.tables)
            else:
                size = place and os.path.getsize(place)
            rows.append((name, ms, n, size))
    print("\nW5, one user's 5 % of TPC-H, ms (ours: median of 5; peers: once)")
    for name, ms, n, size in rows:
        print(f"  {name:<22}{ms:9.1f} ms  {n:9} rows" + (f"  {size / 1e6:6.1f} MB" if size else ""))
    return [(name, f"{n} rows, not {rows[0][2]}") for name, _, n, _ in rows if n != rows[0][2]]


def run_users(name, files, ours):
    """W6: each user opens the app and clicks once. Returns what differs."""
    model = (tpch if name == "tpch" else flights)(files)
    work = json.load(open(f"{HERE}/w1_{name}.json"))
    result = ours_with(name, files, ours, N_USERS, "users", "--users", str(N_USERS), "--work", f"{HERE}/w1_{name}.json")
    peer, wrong, times = PolarsFlat(model), [], []
    whole = peer.flat
    for user in range(N_USERS):
        state = work["states"][user % len(work["states"])]
        (field, values), = lock(name, user).items()
        # What a user does not see cannot be selected.
        seen = whole.filter(pl.col(field).is_in(values))
        select = {f: [v for v in wanted if v in set(seen[f].unique())] for f, wanted in state["select"].items()}
        select = {f: wanted for f, wanted in select.items() if wanted}
        start = time.perf_counter()
        peer.flat = whole.lazy().filter(pl.col(field).is_in(values))
        got = peer.click(work, select)
        times.append((time.perf_counter() - start) * 1e3)
        expected = result["answers"][user]
        for name_of, rows in got.items():
            if not same(answers(peer.rows(rows)), answers(expected[name_of])):
                wrong.append((f"user {user}", state["name"], name_of))
    mine, polars = statistics.mean(result["ms"]), statistics.mean(times)
    print(f"\nW6 on {name}, {N_USERS} users, ms a user (mean)"
          f"\n  satchel                    {mine:8.2f}   {result['kib_a_user'] / 1024:.2f} MiB a user ({result['cache_kib_a_user'] / 1024:.2f} of it caches)"
          f"\n  polars, joined beforehand  {polars:8.2f}   ours is {polars / mine:.1f} x faster")
    return wrong
