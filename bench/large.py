"""Loading, opening and storing TPC-H: each peer in a process of its own, so that its memory can be told."""
import json
import multiprocessing
import os
import resource
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = ("lineitem", "orders", "customer", "part", "supplier", "nation", "region")
GROUPED = ("SELECT l_returnflag, l_shipmode, sum(l_extendedprice * (1 - l_discount)), count(*) FROM {} GROUP BY ALL")


def measured(work, args, queue):
    start, cpu = time.perf_counter(), time.process_time()
    rows = work(*args)
    queue.put((time.perf_counter() - start, time.process_time() - cpu,
               resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, rows))


def apart(work, *args):
    """Wall s, CPU s, peak MiB and result of a piece of work in a fresh process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=measured, args=(work, args, queue))
    process.start()
    result = queue.get(timeout=600)
    process.join()
    return result


def duck_csv(path):
    import duckdb
    db = duckdb.connect(config={"threads": 2})
    db.execute("SET enable_progress_bar = false")
    db.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}')")
    return db.execute("SELECT count(*) FROM t").fetchone()[0]


def polars_csv(path):
    import polars as pl
    return len(pl.read_csv(path, try_parse_dates=True))


def polars_categories(path):
    import polars as pl
    texts = ("l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "l_comment")
    return len(pl.read_csv(path, try_parse_dates=True, schema_overrides={t: pl.Categorical for t in texts}))


def duck_file(path):
    import duckdb
    return len(duckdb.connect(path, read_only=True, config={"threads": 2}).execute(GROUPED.format("lineitem")).fetchall())


def polars_model(folder):
    import polars as pl
    frames = {t: pl.read_parquet(f"{folder}/{t}.parquet") for t in TABLES}
    return frames["lineitem"].group_by("l_returnflag", "l_shipmode").len().height


def show(title, rows):
    print(f"\n{title}\n  {'':<30}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}")
    for name, (wall, cpu, peak, _) in rows:
        print(f"  {name:<30}{wall:8.2f}{cpu:8.2f}{peak:10.0f}   ours takes {rows[0][1][0] / wall:.2f} x as long")


def ours_run(ours, *args):
    """As `apart`, with what our side printed as the result."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([ours, *args], check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu, result.get("peak_kib", 0) / 1024, result


def script_file(folder, text):
    path = f"{folder}/script.qvs"
    with open(path, "w") as file:
        file.write(text)
    return path


def run_load(csv_folder, ours):
    """W2: lineitem as CSV into a finished model with every column coded. Returns what differs."""
    path = f"{csv_folder}/lineitem.csv"
    with tempfile.TemporaryDirectory() as folder:
        script = script_file(folder, "SET DateFormat='YYYY-MM-DD';\nT: LOAD * FROM [lib://data/lineitem.csv]"
                                     " (txt, utf8, embedded labels, delimiter is ',', msq);")
        mine = ours_run(ours, "load", "--files", csv_folder, "--script", script, "--repeats", "1")
    rows = [("satchel, every column coded", mine), ("polars, texts not coded", apart(polars_csv, path)),
            ("polars, texts as categories", apart(polars_categories, path)), ("duckdb read_csv", apart(duck_csv, path))]
    show(f"W2, lineitem.csv, {os.path.getsize(path) / 1e6:.0f} MB; our model has {mine[3]['bytes'] / 1e6:.0f} MB", rows)
    n = mine[3]["rows"]
    return [(name, f"{r[3]} rows, not {n}") for name, r in rows[1:] if r[3] != n]


def forget(*paths):
    """Takes files out of the system's cache."""
    os.sync()
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def run_open(files, ours):
    """W3 and W4: seven tables of TPC-H, stored; from there to the first answer."""
    import duckdb
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(f"{t}: LOAD * FROM [lib://data/{t}.parquet] (parquet);" for t in TABLES)
        stored = f"{folder}/model"
        size = ours_run(ours, "store", "--files", files, "--script", script_file(folder, text), "--to", stored)[3]
        db = duckdb.connect(f"{folder}/model.duckdb")
        db.execute("SET enable_progress_bar = false")
        for t in TABLES:
            db.execute(f"CREATE TABLE {t} AS SELECT * FROM read_parquet('{files}/{t}.parquet')")
            db.execute(f"COPY {t} TO '{folder}/{t}.parquet' (FORMAT parquet, COMPRESSION zstd)")
        db.close()
        parquet = [f"{folder}/{t}.parquet" for t in TABLES]
        for kind in ("cold", "warm"):
            rows = []
            for name, paths, work in (
                    ("satchel, to a list box", [stored], lambda: ours_run(ours, "open-stored", "--stored", stored, "--list", "l_shipmode")),
                    ("duckdb file, to a group by", [f"{folder}/model.duckdb"], lambda: apart(duck_file, f"{folder}/model.duckdb")),
                    ("polars, whole model", parquet, lambda: apart(polars_model, folder))):
                if kind == "cold":
                    forget(*paths)
                rows.append((name, work()))
            show(f"W3, a stored model to its first answer, {kind}", rows)
        sizes = [("satchel stored", size["bytes"]), ("duckdb file", os.path.getsize(f"{folder}/model.duckdb")),
                 ("Parquet zstd", sum(map(os.path.getsize, parquet))), ("satchel in memory", size["memory"])]
        print("\nW4, seven tables, MB: " + ", ".join(f"{name} {n / 1e6:.0f}" for name, n in sizes))
    return []
