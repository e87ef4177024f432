"""Our engine and its peers in one run: medians and ratios as a table, answers cross-checked.

usage: compare.py --files FOLDER [--tpch FOLDER] [--tpch-csv FOLDER] --ours BINARY [WORKLOAD ...]
Normally called by `cargo xtask bench`, which installs the peers and builds the binary.

w1    a click: 12 list boxes, a KPI, 4 bar charts and a pivot for each of 8 selection states
      (w1-tpch: 14 list boxes on TPC-H, where --tpch names the folder with its Parquet files)
w2    lineitem as CSV (--tpch-csv) into a finished model; time, CPU time and memory
w3    TPC-H stored, to its first answer, with the file cache dropped and warm; sizes (W4)
w5    one user's 5 % of TPC-H, as a mask and as a file of its own
w6    a hundred users of flights, each with another reduction, click once; w6-tpch likewise
hostile  work that asks for too much, refused and cancelled, beside somebody who clicks (ours alone)
load  five CSV files into a finished in-memory model, against DuckDB's read_csv into tables
csv   the flights as CSV, plain and with every text quoted, against DuckDB and polars
qvd   the flights as QVD, whole and where one field is among a few values, against qvdrs and pyqvd
script  statements of a load script on the flights: RESIDENT with expressions, WHERE, JOIN, GROUP BY,
      ORDER BY, QVD and Parquet, against DuckDB and polars
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

import large
import script
import users
from answers import answers, same
from models import csv, flights, tpch
from peers import DuckStar, PolarsFlat

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATS = 7
FLIGHTS = ("flights", "airports", "planes", "airlines", "weather")


def run_w1(args):
    click("W1 on flights, a click, warm ms (median)", "w1_flights", args.files, args.ours, flights(args.files), "w1.svg")


def run_w1_tpch(args):
    if not args.tpch:
        sys.exit("w1-tpch: --tpch must name the folder with the Parquet files of TPC-H")
    click("W1 on TPC-H, a click, warm ms (median)", "w1_tpch", args.tpch, args.ours, tpch(args.tpch), "w1_tpch.svg")


def click(title, work_name, files, ours, model, plot):
    work = json.load(open(f"{HERE}/{work_name}.json"))
    result = json.loads(subprocess.run(
        [ours, "w1", "--files", files, "--work", f"{HERE}/{work_name}.json", "--script", f"{HERE}/{work_name}.qvs",
         "--repeats", str(REPEATS)], check=True, stdout=subprocess.PIPE, text=True).stdout)
    table = {"satchel": [statistics.median(s["ms"]) for s in result["states"]]}
    reference = [{k: answers(v) for k, v in s["answers"].items()} for s in result["states"]]
    wrong = []
    for peer_class in (PolarsFlat, DuckStar):
        peer = peer_class(model)
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
        del peer
    names = [s["name"] for s in work["states"]]
    show(title, names, table)
    svg(f"{HERE}/{plot}", names, table)
    if wrong:
        print("ANSWERS DIFFER:", *wrong, sep="\n  ")
        sys.exit(1)
    print("  every answer agrees between all of them")
    again = statistics.mean(statistics.median(s["again_ms"]) for s in result["states"])
    print(f"  ours when somebody with the same view clicked the same before: mean {again:.2f} ms")
    print("  memory of ours, MiB: " + ", ".join(f"{k} {v}" for k, v in result["memory_mib"].items()) + "\n")


def agreed(wrong):
    """Ends the run if answers differ."""
    if wrong:
        print("ANSWERS DIFFER:", *wrong, sep="\n  ")
        sys.exit(1)
    print("  every answer agrees\n")


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


def run_hostile(args):
    result = json.loads(subprocess.run(
        [args.ours, "hostile", "--files", args.files, "--work", f"{HERE}/w1_flights.json", "--script", f"{HERE}/w1_flights.qvs"],
        check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"\nWork that asks for too much, beside somebody whose click takes {result['usual_click_ms']:.1f} ms alone")
    print(f"  {'':<26}{'ended, ms':>10}  {'cancelled, ms':>13}  {'click':>6}  answer")
    wrong = []
    for case in result["cases"]:
        late = case["cancelled_after_ms"]
        print(f"  {case['name']:<26}{case['ms']:10.0f}  {'done' if late is None else f'{late:.1f}':>13}  "
              f"{case['click_ratio']:5.2f}x  {case['refused'] or 'calculated'}")
        if late is not None and late > 100:
            wrong.append(f"{case['name']}: went on for {late:.0f} ms")
        if case["click_ratio"] > 2:
            wrong.append(f"{case['name']}: clicks beside it took {case['click_ratio']:.1f} times as long")
    if wrong:
        print("PROMISES BROKEN:", *wrong, sep="\n  ")
        sys.exit(1)


def run_load(args):
    files, ours = args.files, args.ours
    result = json.loads(subprocess.run([ours, "load", "--files", files, "--script", f"{HERE}/load_flights.qvs",
                                        "--repeats", "5"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    times = []
    for _ in range(5):
        db = duckdb.connect(config={"threads": 2})
        start = time.perf_counter()
        for table in FLIGHTS:
            db.execute(f"CREATE TABLE {table} AS SELECT * FROM {csv(files, table)}")
        times.append((time.perf_counter() - start) * 1e3)
    duck = statistics.median(times)
    mine = statistics.median(result["ms"])
    print(f"\nload, five CSV files, every column, ms (median of 5)\n  satchel, all columns coded  {mine:8.0f}"
          f"\n  duckdb read_csv             {duck:8.0f}   ours takes {mine / duck:.2f} x as long\n")


def ours_load(ours, files, script):
    """Median ms and the rows of a load script, which finds the files in lib://data."""
    with tempfile.NamedTemporaryFile("w", suffix=".qvs") as file:
        file.write(script)
        file.flush()
        result = json.loads(subprocess.run([ours, "load", "--files", files, "--script", file.name, "--repeats", "5"],
                                           check=True, stdout=subprocess.PIPE, text=True).stdout)
    return statistics.median(result["ms"]), result["rows"]


def timed(repeats, work):
    """Median ms of some runs, and what the last gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), result


def show_ratios(title, results):
    """Each: name, median ms, rows. Ours comes first; rows must agree."""
    print(f"\n{title}")
    mine, rows = results[0][1:]
    for name, ms, n in results:
        print(f"  {name:<28}{ms:9.1f} ms   ours takes {mine / ms:5.2f} x as long")
        if n != rows:
            sys.exit(f"ANSWERS DIFFER: {name} has {n} rows, not {rows}")


def run_csv(args):
    files, ours = args.files, args.ours
    quoted = f"{files}/flights_quoted.csv"
    if not os.path.exists(quoted):
        duckdb.sql(f"COPY (SELECT * FROM read_csv('{files}/flights.csv', all_varchar=true)) TO '{quoted}' (HEADER, FORCE_QUOTE *)")
    for kind in ("flights", "flights_quoted"):
        path = f"{files}/{kind}.csv"

        def duck():
            db = duckdb.connect(config={"threads": 2})
            db.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', nullstr=['NA', ''], types={{'time_hour': 'VARCHAR'}})")
            return db.execute("SELECT count(*) FROM t").fetchone()[0]

        script = f"T: LOAD * FROM [lib://data/{kind}.csv] (txt, utf8, embedded labels, delimiter is ',', msq);"
        results = [("satchel, every column coded", *ours_load(ours, files, script)),
                   ("duckdb read_csv", *timed(5, duck)),
                   ("polars read_csv", *timed(5, lambda: len(pl.read_csv(path, null_values=["NA"]))))]
        show_ratios(f"csv, {kind}.csv, {os.path.getsize(path) / 1e6:.1f} MB", results)


def run_qvd(args):
    files, ours = args.files, args.ours
    import qvd
    from pyqvd import QvdTable
    path = f"{files}/flights.qvd"
    ours_load(ours, files, "T: LOAD * FROM [lib://data/flights.csv] (txt, utf8, embedded labels, delimiter is ',', msq);"
                           " STORE T INTO [lib://data/flights.qvd] (qvd);")
    whole = [("satchel", *ours_load(ours, files, "T: LOAD * FROM [lib://data/flights.qvd] (qvd);")),
             ("qvdrs, to Arrow", *timed(5, lambda: qvd.read_qvd(path).to_arrow().num_rows)),
             ("qvdrs, its own table", *timed(5, lambda: qvd.read_qvd(path).num_rows)),
             ("pyqvd", *timed(1, lambda: len(QvdTable.from_qvd(path).data)))]
    show_ratios(f"qvd, whole, {os.path.getsize(path) / 1e6:.1f} MB", whole)
    known = "Known: LOAD * INLINE [\ncarrier\nUA\nAA\n]; "
    few = [("satchel, Exists on symbols", *ours_load(
                ours, files, known + "T: NOCONCATENATE LOAD * FROM [lib://data/flights.qvd] (qvd) WHERE Exists(carrier); DROP TABLE Known;")),
           ("satchel, row by row", *ours_load(
                ours, files, known + "T: NOCONCATENATE LOAD *, RecNo() AS n FROM [lib://data/flights.qvd] (qvd) WHERE Exists(carrier); DROP TABLE Known;")),
           ("qvdrs, filter_by_values", *timed(5, lambda: qvd.read_qvd(path).filter_by_values("carrier", ["UA", "AA"]).num_rows))]
    show_ratios("qvd, where the carrier is one of two", few)


def run_open(args):
    files, ours = args.files, args.ours
    result = json.loads(subprocess.run([ours, "open", "--files", files, "--script", f"{HERE}/w1_flights.qvs",
                                        "--repeats", "7"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"\nopen, a stored app to its first list box, ms\n  satchel  {statistics.median(result['ms']):8.1f} (median of 7,"
          f" first {result['ms'][0]:.1f}); the file has {result['bytes'] / 1e6:.1f} MB\n")


def run_size(args):
    files, ours = args.files, args.ours
    result = json.loads(subprocess.run([ours, "open", "--files", files, "--script", f"{HERE}/load_flights.qvs",
                                        "--repeats", "1"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    as_csv = sum(os.path.getsize(f"{files}/{t}.csv") for t in FLIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        for table in FLIGHTS:
            duckdb.sql(f"COPY (SELECT * FROM {csv(files, table)}) TO '{folder}/{table}.parquet' (COMPRESSION zstd)")
        parquet = sum(os.path.getsize(f"{folder}/{t}.parquet") for t in FLIGHTS)
    print(f"\nsize, MB\n  CSV {as_csv / 1e6:.1f}   Parquet zstd {parquet / 1e6:.1f}   satchel stored {result['bytes'] / 1e6:.1f}"
          f"   satchel in memory {result['memory'] / 1e6:.1f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", required=True)
    parser.add_argument("--tpch")
    parser.add_argument("--tpch-csv")
    parser.add_argument("--ours", required=True)
    parser.add_argument("workloads", nargs="*")
    args = parser.parse_args()
    runs = {"w1": run_w1, "w1-tpch": run_w1_tpch,
            "w2": lambda a: agreed(large.run_load(a.tpch_csv, a.ours)),
            "w3": lambda a: agreed(large.run_open(a.tpch, a.ours)),
            "w5": lambda a: agreed(users.run_reduction(a.tpch, a.ours)),
            "w6": lambda a: agreed(users.run_users("flights", a.files, a.ours)),
            "w6-tpch": lambda a: agreed(users.run_users("tpch", a.tpch, a.ours)),
            "script": lambda a: agreed(script.run_script(a.files, a.ours)),
            "load": run_load, "csv": run_csv, "qvd": run_qvd, "open": run_open, "size": run_size}
    needs = {"w1-tpch": args.tpch, "w2": args.tpch_csv, "w3": args.tpch, "w5": args.tpch, "w6-tpch": args.tpch}
    for name in args.workloads or [name for name in runs if needs.get(name, True)]:
        runs[name](args)


if __name__ == "__main__":
    main()
