"""The workload "script": statements of a load script beside DuckDB and Polars doing the same."""
import json
import os
import statistics
import subprocess
import tempfile
import time

import duckdb
import polars as pl

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATS = 5
# What each measured statement begins with, in bench/script_flights.qvs.
STATEMENTS = {
    "qvd": "from_qvd:", "parquet": "from_parquet:", "resident": "copied:", "expressions": "made:", "where": "late:",
    "join": "LEFT JOIN", "group, 185": "by_month:", "group, 250,000": "by_plane:", "order": "ordered:"}


def ours(binary, files):
    result = json.loads(subprocess.run(
        [binary, "steps", "--files", files, "--script", f"{HERE}/script_flights.qvs", "--repeats", str(REPEATS)],
        check=True, stdout=subprocess.PIPE, text=True).stdout)
    times = {}
    for name, begin in STATEMENTS.items():
        per_run = [[s["ms"] for s in run["steps"] if s["text"].startswith(begin)] for run in result["runs"]]
        times[name] = statistics.median(sum(ms) for ms in per_run)
    checks = {c["name"].removeprefix("check_"): c["value"] for c in result["runs"][0]["checks"]}
    return times, checks


def clock(times, name, work):
    start = time.perf_counter()
    result = work()
    times.setdefault(name, []).append((time.perf_counter() - start) * 1e3)
    return result


def duck(files):
    times = {}
    for _ in range(REPEATS):
        db = duckdb.connect(config={"threads": 2})
        read = "nullstr=['NA', ''], types={'time_hour': 'VARCHAR'}"
        db.execute(f"CREATE TABLE flights AS SELECT * FROM read_csv('{files}/flights.csv', {read})")
        db.execute(f"CREATE TABLE planes AS SELECT tailnum, manufacturer, model, seats FROM read_csv('{files}/planes.csv', nullstr=['NA', ''])")

        def run(name, table, query):
            clock(times, name, lambda: db.execute(f"CREATE TABLE {table} AS {query}"))
        with tempfile.TemporaryDirectory() as folder:
            db.execute(f"COPY flights TO '{folder}/f.parquet' (COMPRESSION snappy)")
            run("parquet", "from_parquet", f"SELECT * FROM '{folder}/f.parquet'")
        run("resident", "copied", "SELECT * FROM flights")
        run("expressions", "made", "SELECT carrier, month, day, tailnum, distance, dep_delay, distance * 1.609344 AS km,"
            " CASE WHEN dep_delay > 15 THEN 'late' ELSE 'on time' END AS punctual, upper(carrier) || '-' || flight AS line,"
            " make_date(year, month, day) AS date FROM flights")
        run("where", "late", "SELECT * FROM made WHERE punctual = 'late' AND distance > 500")
        run("join", "joined", "SELECT made.*, manufacturer, model, seats FROM made LEFT JOIN planes USING (tailnum)")
        run("group, 185", "by_month", "SELECT carrier, month, count(distance) AS n, sum(distance) AS miles,"
            " avg(dep_delay) AS delay, max(seats) AS largest FROM joined GROUP BY ALL")
        run("group, 250,000", "by_plane", "SELECT tailnum, date, count(distance) AS n, sum(km) AS km FROM joined GROUP BY ALL")
        run("order", "ordered", "SELECT * FROM by_plane ORDER BY km DESC")
        miles, n, seats = db.execute("SELECT sum(miles), sum(n), sum(largest) FROM by_month").fetchone()
        count = lambda table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        checks = {"miles": miles, "n": n, "seats": seats, "late": count("late"), "planes": count("by_plane")}
    return {k: statistics.median(v) for k, v in times.items()}, checks


def polars(files):
    times = {}
    c = pl.col
    for _ in range(REPEATS):
        flights = pl.read_csv(f"{files}/flights.csv", null_values=["NA", ""])
        planes = pl.read_csv(f"{files}/planes.csv", null_values=["NA", ""]).select("tailnum", "manufacturer", "model", "seats")
        with tempfile.TemporaryDirectory() as folder:
            flights.write_parquet(f"{folder}/f.parquet", compression="snappy")
            clock(times, "parquet", lambda: pl.read_parquet(f"{folder}/f.parquet"))
        made = clock(times, "expressions", lambda: flights.select(
            "carrier", "month", "day", "tailnum", "distance", "dep_delay", (c("distance") * 1.609344).alias("km"),
            pl.when(c("dep_delay") > 15).then(pl.lit("late")).otherwise(pl.lit("on time")).alias("punctual"),
            (c("carrier").str.to_uppercase() + "-" + c("flight").cast(pl.String)).alias("line"),
            pl.date("year", "month", "day").alias("date")))
        late = clock(times, "where", lambda: made.filter((c("punctual") == "late") & (c("distance") > 500)))
        joined = clock(times, "join", lambda: made.join(planes, on="tailnum", how="left"))
        by_month = clock(times, "group, 185", lambda: joined.group_by("carrier", "month").agg(
            c("distance").count().alias("n"), c("distance").sum().alias("miles"), c("dep_delay").mean().alias("delay"),
            c("seats").max().alias("largest")))
        by_plane = clock(times, "group, 250,000", lambda: joined.group_by("tailnum", "date").agg(
            c("distance").count().alias("n"), c("km").sum()))
        clock(times, "order", lambda: by_plane.sort("km", descending=True))
        checks = {"miles": by_month["miles"].sum(), "n": by_month["n"].sum(), "seats": by_month["largest"].sum(),
                  "late": len(late), "planes": len(by_plane)}
    return {k: statistics.median(v) for k, v in times.items()}, checks


def run_script(files, binary):
    """Prints medians; what differs between the three."""
    results = {"satchel": ours(binary, files), "duckdb": duck(files), "polars": polars(files)}
    print(f"\nscript, statements on 336,776 flights, ms (median of {REPEATS})")
    print(" " * 18 + "".join(f"{name:>10}" for name in results) + "   ours takes, of the faster")
    for name in STATEMENTS:
        values = {who: times.get(name) for who, (times, _) in results.items()}
        others = [v for who, v in values.items() if who != "satchel" and v is not None]
        cells = "".join(f"{v:10.1f}" if v is not None else f"{'–':>10}" for v in values.values())
        print(f"  {name:<16}{cells}" + (f"   {values['satchel'] / min(others):5.2f} x" if others else ""))
    reference = results["satchel"][1]
    return [f"{who}: {name} is {value}, not {reference.get(name)}" for who, (_, checks) in results.items()
            for name, value in checks.items() if float(value) != float(reference.get(name) or -1)]
