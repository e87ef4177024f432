"""Our engine and its peers in one run: medians and ratios as a table, answers cross-checked.

usage: compare.py --files FOLDER --ours BINARY [w1] [load] [open] [size]
Normally called by `cargo xtask bench`, which installs the peers and builds the binary.

w1    a click: 12 list boxes, a KPI, 4 bar charts and a pivot for each of 8 selection states
load  five CSV files into a finished in-memory model, against DuckDB's read_csv into tables
open  a stored app to its first list box
size  the stored app against CSV and Parquet
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb
import polars as pl

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATS = 7
DUCK = {
    "flights": "SELECT row_number() OVER () - 1 AS flight_id, month, hour, origin, carrier, dest, tailnum,"
               " tailnum AS f_tailnum, origin || '|' || time_hour AS wkey, dep_delay, arr_delay, distance FROM {flights}",
    "airports": "SELECT faa AS a_dest, name AS airport_name, tzone FROM {airports}",
    "planes": "SELECT tailnum AS p_tailnum, year AS plane_year, type, manufacturer, model, engine, seats FROM {planes}",
    "airlines": "SELECT carrier AS al_carrier, name AS airline_name FROM {airlines}",
    "weather": "SELECT DISTINCT origin || '|' || time_hour AS w_wkey, visib FROM {weather}",
}
LINKS = [("dest", "airports", "a_dest"), ("tailnum", "planes", "p_tailnum"),
         ("carrier", "airlines", "al_carrier"), ("wkey", "weather", "w_wkey")]


def source(files, table):
    text = ", types={'time_hour': 'VARCHAR'}" if table in ("flights", "weather") else ""
    return f"read_csv('{files}/{table}.csv', nullstr=['NA', '']{text})"


def star(files):
    db = duckdb.connect(config={"threads": 2})
    for table, query in DUCK.items():
        db.execute(f"CREATE TABLE {table} AS " + query.format(**{t: source(files, t) for t in DUCK}))
    return db


def sql_list(values):
    return "(" + ",".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values) + ")"


def home_tables(db):
    rows = db.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
    return {column: table for table, column in rows if table in DUCK}


def alive(table, select, home, came_from=None):
    """The rows of a table that survive the selections, as a condition on it."""
    parts = [f"{f} IN {sql_list(v)}" for f, v in select.items() if home[f] == table]
    for key, other, other_key in LINKS:
        if table == "flights" and other != came_from and any(home[f] == other for f in select):
            parts.append(f"{key} IN (SELECT {other_key} FROM {other} WHERE {alive(other, select, home, table)})")
        if table == other and came_from != "flights" and any(home[f] != table for f in select):
            parts.append(f"{other_key} IN (SELECT {key} FROM flights WHERE {alive('flights', select, home, table)})")
    return " AND ".join(parts) or "TRUE"


def measure_sql(measure):
    op, field = measure
    return {"count": f"count({field})", "sum": f"coalesce(sum({field}), 0)", "avg": f"avg({field})",
            "count_distinct": f"count(DISTINCT {field})"}[op]


class DuckStar:
    """DuckDB over the tables as loaded."""
    name = "duckdb, tables as loaded"

    def __init__(self, files):
        self.db = star(files)
        self.home = home_tables(self.db)

    def click(self, work, select):
        out = {}
        for field in work["lists"]:
            others = {f: v for f, v in select.items() if f != field}
            table = self.home[field]
            out[field] = self.db.sql(f"SELECT DISTINCT {field} FROM {table} WHERE {field} IS NOT NULL"
                                     f" AND {alive(table, others, self.home)}").to_arrow_table()
        rows = f"(SELECT * FROM flights WHERE {alive('flights', select, self.home)}) flights"
        for cube in work["cubes"]:
            tables = {self.home[f] for f in cube["by"]} - {"flights"}
            joins = "".join(f" LEFT JOIN {t} ON flights.{k}={t}.{tk}" for k, t, tk in LINKS if t in tables)
            by = ",".join(cube["by"])
            columns = ",".join([*cube["by"], *(f"{measure_sql(m)} AS m{i}" for i, m in enumerate(cube["measures"]))])
            group = f" GROUP BY {by}" if by else ""
            out[cube["name"]] = self.db.sql(f"SELECT {columns} FROM {rows}{joins}{group}").to_arrow_table()
        return out

    @staticmethod
    def rows(table):
        return [tuple(r.values()) for r in table.to_pylist()]


class PolarsFlat:
    """Polars over one wide table joined beforehand (its building is not counted)."""
    name = "polars, joined beforehand"

    def __init__(self, files):
        db = star(files)
        joins = "".join(f" FULL JOIN {t} ON flights.{k}={t}.{tk}" for k, t, tk in LINKS)
        flat = pl.from_arrow(db.sql(f"SELECT * FROM flights{joins}").to_arrow_table())
        texts = [c for c, t in flat.schema.items() if t == pl.String and c != "wkey" and c != "w_wkey"]
        enums = {c: pl.Enum(flat[c].drop_nulls().unique().sort()) for c in texts}
        self.flat = flat.with_columns([pl.col(c).cast(t) for c, t in enums.items()]).rechunk()

    def click(self, work, select):
        def where(frame, chosen):
            conditions = [pl.col(f).is_in(v) if len(v) > 1 else pl.col(f) == v[0] for f, v in chosen.items()]
            return frame.filter(*conditions) if conditions else frame
        ops = {"count": lambda c: c.count(), "sum": lambda c: c.sum(), "avg": lambda c: c.mean(),
               "count_distinct": lambda c: c.drop_nulls().n_unique()}
        all_rows = self.flat.lazy()
        chosen = where(all_rows, select)
        plans = {}
        for field in work["lists"]:
            rows = where(all_rows, {f: v for f, v in select.items() if f != field}) if field in select else chosen
            plans[field] = rows.select(pl.col(field).drop_nulls().unique())
        facts = chosen.filter(pl.col("flight_id").is_not_null())
        for cube in work["cubes"]:
            measures = [ops[op](pl.col(f)).alias(f"m{i}") for i, (op, f) in enumerate(cube["measures"])]
            plans[cube["name"]] = facts.group_by(cube["by"]).agg(measures) if cube["by"] else facts.select(measures)
        return dict(zip(plans, pl.collect_all(list(plans.values()))))

    @staticmethod
    def rows(frame):
        return frame.rows()


def canonical(value):
    if value is None or isinstance(value, str):
        return value
    value = float(value)
    return None if math.isnan(value) else value


def answers(rows):
    rows = [tuple(canonical(v) for v in r) for r in rows]
    return sorted(rows, key=lambda r: [(v is None, isinstance(v, str), v if v is not None else 0) for v in r])


def same(a, b):
    def near(x, y):
        if isinstance(x, float) and isinstance(y, float):
            return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1)
        return x == y
    return len(a) == len(b) and all(len(r) == len(s) and all(map(near, r, s)) for r, s in zip(a, b))


def run_w1(files, ours):
    work = json.load(open(f"{HERE}/w1_flights.json"))
    result = json.loads(subprocess.run(
        [ours, "w1", "--files", files, "--work", f"{HERE}/w1_flights.json", "--script", f"{HERE}/w1_flights.qvs",
         "--repeats", str(REPEATS)], check=True, stdout=subprocess.PIPE, text=True).stdout)
    table = {"satchel": [statistics.median(s["ms"]) for s in result["states"]]}
    reference = [{k: answers(v) for k, v in s["answers"].items()} for s in result["states"]]
    wrong = []
    for peer_class in (PolarsFlat, DuckStar):
        peer = peer_class(files)
        medians = []
        for state, ours_answers in zip(work["states"], reference):
            times = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                got = peer.click(work, state["select"])
                times.append((time.perf_counter() - start) * 1e3)
            medians.append(statistics.median(times[1:]))
            for name, rows in got.items():
                if not same(answers(peer.rows(rows)), ours_answers[name]):
                    wrong.append((peer.name, state["name"], name))
        table[peer.name] = medians
    names = [s["name"] for s in work["states"]]
    show("W1, a click, warm ms (median)", names, table)
    svg(f"{HERE}/w1.svg", names, table)
    if wrong:
        print("ANSWERS DIFFER:", *wrong, sep="\n  ")
        sys.exit(1)
    print("  every answer agrees between all of them\n")


def show(title, columns, table):
    print(f"\n{title}")
    width = max(map(len, table))
    ours = statistics.mean(next(iter(table.values())))
    print(" " * (width + 2) + "".join(f"{c.split()[0]:>8}" for c in columns) + "    mean   ours is")
    for name, values in table.items():
        mean = statistics.mean(values)
        print(f"  {name:<{width}}" + "".join(f"{v:8.2f}" for v in values) + f"{mean:8.2f}   {mean / ours:5.1f} x faster")


def svg(path, columns, table):
    colours = ["#0b7a75", "#b0b7bf", "#d9a441"]
    top = math.log10(max(map(max, table.values())) * 1.3)
    bottom = math.log10(min(map(min, table.values())) * 0.7)
    step, height = 90, 260
    bars = []
    for i, column in enumerate(columns):
        for j, values in enumerate(table.values()):
            h = (math.log10(values[i]) - bottom) / (top - bottom) * height
            bars.append(f'<rect x="{60 + i * step + j * 22}" y="{300 - h:.1f}" width="20" height="{h:.1f}" fill="{colours[j % 3]}"/>')
        bars.append(f'<text x="{60 + i * step + 33}" y="318" text-anchor="middle">{column.split()[0]}</text>')
    for j, name in enumerate(table):
        bars.append(f'<rect x="{60 + j * 220}" y="8" width="12" height="12" fill="{colours[j % 3]}"/><text x="{78 + j * 220}" y="19">{name}</text>')
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{80 + step * len(columns)}" height="330" font-family="sans-serif" font-size="12">'
                   f'<title>Milliseconds per click, logarithmic</title>{"".join(bars)}</svg>\n')
    print(f"  plot: {os.path.relpath(path)}")


def run_load(files, ours):
    result = json.loads(subprocess.run([ours, "load", "--files", files, "--script", f"{HERE}/load_flights.qvs",
                                        "--repeats", "5"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    times = []
    for _ in range(5):
        db = duckdb.connect(config={"threads": 2})
        start = time.perf_counter()
        for table in DUCK:
            db.execute(f"CREATE TABLE {table} AS SELECT * FROM {source(files, table)}")
        times.append((time.perf_counter() - start) * 1e3)
    duck = statistics.median(times)
    mine = statistics.median(result["ms"])
    print(f"\nload, five CSV files, every column, ms (median of 5)\n  satchel, all columns coded  {mine:8.0f}"
          f"\n  duckdb read_csv             {duck:8.0f}   ours takes {mine / duck:.2f} x as long\n")


def run_open(files, ours):
    result = json.loads(subprocess.run([ours, "open", "--files", files, "--script", f"{HERE}/w1_flights.qvs",
                                        "--repeats", "7"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"\nopen, a stored app to its first list box, ms\n  satchel  {statistics.median(result['ms']):8.1f} (median of 7,"
          f" first {result['ms'][0]:.1f}); the file has {result['bytes'] / 1e6:.1f} MB\n")


def run_size(files, ours):
    result = json.loads(subprocess.run([ours, "open", "--files", files, "--script", f"{HERE}/load_flights.qvs",
                                        "--repeats", "1"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    csv = sum(os.path.getsize(f"{files}/{t}.csv") for t in DUCK)
    with tempfile.TemporaryDirectory() as folder:
        for table in DUCK:
            duckdb.sql(f"COPY (SELECT * FROM {source(files, table)}) TO '{folder}/{table}.parquet' (COMPRESSION zstd)")
        parquet = sum(os.path.getsize(f"{folder}/{t}.parquet") for t in DUCK)
    print(f"\nsize, MB\n  CSV {csv / 1e6:.1f}   Parquet zstd {parquet / 1e6:.1f}   satchel stored {result['bytes'] / 1e6:.1f}"
          f"   satchel in memory {result['memory'] / 1e6:.1f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("workloads", nargs="*")
    args = parser.parse_args()
    runs = {"w1": run_w1, "load": run_load, "open": run_open, "size": run_size}
    for name in args.workloads or runs:
        runs[name](args.files, args.ours)


if __name__ == "__main__":
    main()
