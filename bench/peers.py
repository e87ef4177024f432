"""The peers of workload W1: what a user would have instead of an associative engine."""
import duckdb
import polars as pl


def star(model):
    db = duckdb.connect(config={"threads": 2})
    for table, query in model.tables.items():
        db.execute(f"CREATE TABLE {table} AS {query}")
    return db


def measure_sql(measure):
    op, *field = measure
    field = "".join(field)
    return {"count": f"count({field})", "sum": f"coalesce(sum({field}), 0)", "avg": f"avg({field})",
            "count_distinct": f"count(DISTINCT {field})",
            "revenue": "coalesce(sum(l_extendedprice * (1 - l_discount)), 0)"}[op]


class DuckStar:
    """DuckDB over the tables as loaded."""
    name = "duckdb, tables as loaded"

    def __init__(self, model):
        self.model = model
        self.db = star(model)
        rows = self.db.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
        self.home = {column: table for table, column in rows if table in model.tables}

    def click(self, work, select):
        model, out = self.model, {}
        for field in work["lists"]:
            others = {f: v for f, v in select.items() if f != field}
            table = self.home[field]
            out[field] = self.db.sql(f"SELECT DISTINCT {field} FROM {table} WHERE {field} IS NOT NULL"
                                     f" AND {model.alive(table, others, self.home)}").to_arrow_table()
        fact = model.fact
        rows = f"(SELECT * FROM {fact} WHERE {model.alive(fact, select, self.home)}) {fact}"
        for cube in work["cubes"]:
            fields = cube["by"] + [m[1] for m in cube["measures"] if len(m) > 1]
            joins = model.joins({self.home[f] for f in fields})
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

    def __init__(self, model):
        self.model = model
        joins = model.joins(set(model.tables), "FULL")
        flat = pl.from_arrow(star(model).sql(f"SELECT * FROM {model.fact}{joins}").to_arrow_table())
        texts = [c for c, t in flat.schema.items() if t == pl.String and c != "wkey" and c != "w_wkey"]
        enums = {c: pl.Enum(flat[c].drop_nulls().unique().sort()) for c in texts}
        self.flat = flat.with_columns([pl.col(c).cast(t) for c, t in enums.items()]).rechunk()

    def click(self, work, select):
        def where(frame, chosen):
            conditions = [pl.col(f).is_in(v) if len(v) > 1 else pl.col(f) == v[0] for f, v in chosen.items()]
            return frame.filter(*conditions) if conditions else frame

        def measure(op, field=None):
            column = pl.col(field) if field else None
            return {"count": lambda: column.count(), "sum": lambda: column.sum(), "avg": lambda: column.mean(),
                    "count_distinct": lambda: column.drop_nulls().n_unique(),
                    "revenue": lambda: (pl.col("l_extendedprice") * (1 - pl.col("l_discount"))).sum()}[op]()
        all_rows = self.flat.lazy()
        chosen = where(all_rows, select)
        plans = {}
        for field in work["lists"]:
            rows = where(all_rows, {f: v for f, v in select.items() if f != field}) if field in select else chosen
            plans[field] = rows.select(pl.col(field).drop_nulls().unique())
        facts = chosen.filter(pl.col(self.model.fact_key).is_not_null())
        for cube in work["cubes"]:
            measures = [measure(*m).alias(f"m{i}") for i, m in enumerate(cube["measures"])]
            plans[cube["name"]] = facts.group_by(cube["by"]).agg(measures) if cube["by"] else facts.select(measures)
        return dict(zip(plans, pl.collect_all(list(plans.values()))))

    @staticmethod
    def rows(frame):
        return frame.rows()
