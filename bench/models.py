"""The models of workload W1 as the peers see them: tables, the keys between them, the facts."""


class Model:
    """A tree of tables. `tables` maps a table to its DuckDB query over the source files."""

    def __init__(self, fact, fact_key, tables, links):
        self.fact, self.fact_key, self.tables = fact, fact_key, tables
        self.near = {table: [] for table in tables}
        for a, a_key, b, b_key in links:
            self.near[a].append((b, a_key, b_key))
            self.near[b].append((a, b_key, a_key))

    def joins(self, wanted, kind="LEFT"):
        """The joins that lead from the facts to the wanted tables."""
        def towards(table, came_from):
            found, text = table in wanted, ""
            for other, key, other_key in self.near[table]:
                if other != came_from:
                    onward = towards(other, table)
                    if onward is not None:
                        text += f" {kind} JOIN {other} ON {table}.{key}={other}.{other_key}{onward}"
                        found = True
            return text if found or came_from is None else None
        return towards(self.fact, None)

    def alive(self, table, select, home, came_from=None):
        """The rows of a table that survive the selections, as a condition on it."""
        parts = [f"{f} IN {sql_list(v)}" for f, v in select.items() if home[f] == table]
        for other, key, other_key in self.near[table]:
            if other != came_from and self.has_selection(other, select, home, table):
                inner = self.alive(other, select, home, table)
                parts.append(f"{key} IN (SELECT {other_key} FROM {other} WHERE {inner})")
        return " AND ".join(parts) or "TRUE"

    def has_selection(self, table, select, home, came_from):
        return any(home[f] == table for f in select) or any(
            self.has_selection(other, select, home, table) for other, _, _ in self.near[table] if other != came_from)


def sql_list(values):
    return "(" + ",".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values) + ")"


def csv(files, table):
    text = ", types={'time_hour': 'VARCHAR'}" if table in ("flights", "weather") else ""
    return f"read_csv('{files}/{table}.csv', nullstr=['NA', '']{text})"


def flights(files):
    """Flights from New York in 2013: 337 thousand rows, four tables around them."""
    return Model("flights", "flight_id", {
        "flights": "SELECT row_number() OVER () - 1 AS flight_id, month, hour, origin, carrier, dest, tailnum,"
                   " tailnum AS f_tailnum, origin || '|' || time_hour AS wkey, dep_delay, arr_delay, distance"
                   f" FROM {csv(files, 'flights')}",
        "airports": f"SELECT faa AS a_dest, name AS airport_name, tzone FROM {csv(files, 'airports')}",
        "planes": "SELECT tailnum AS p_tailnum, year AS plane_year, type, manufacturer, model, engine, seats"
                  f" FROM {csv(files, 'planes')}",
        "airlines": f"SELECT carrier AS al_carrier, name AS airline_name FROM {csv(files, 'airlines')}",
        "weather": f"SELECT DISTINCT origin || '|' || time_hour AS w_wkey, visib FROM {csv(files, 'weather')}",
    }, [("flights", "dest", "airports", "a_dest"), ("flights", "tailnum", "planes", "p_tailnum"),
        ("flights", "carrier", "airlines", "al_carrier"), ("flights", "wkey", "weather", "w_wkey")])


def tpch(files):
    """TPC-H: lineitem with nine tables in chains, nations and regions once a side."""
    def read(table):
        return f"read_parquet('{files}/{table}.parquet')"
    return Model("lineitem", "l_orderkey", {
        "lineitem": "SELECT l_orderkey, l_partkey, l_suppkey, l_quantity::DOUBLE l_quantity,"
                    " l_extendedprice::DOUBLE l_extendedprice, l_discount::DOUBLE l_discount, l_returnflag,"
                    f" l_shipmode, l_shipdate FROM {read('lineitem')}",
        "orders": "SELECT o_orderkey, o_custkey, o_orderstatus, o_orderpriority,"
                  f" strftime(o_orderdate, '%Y-%m') o_ordermonth, o_clerk FROM {read('orders')}",
        "customer": "SELECT c_custkey, c_name, c_nationkey, c_mktsegment, (c_custkey % 100)::INT c_bucket"
                    f" FROM {read('customer')}",
        "cnation": f"SELECT n_nationkey cn_nationkey, n_name c_nation, n_regionkey cn_regionkey FROM {read('nation')}",
        "cregion": f"SELECT r_regionkey cr_regionkey, r_name c_region FROM {read('region')}",
        "part": f"SELECT p_partkey, p_brand, p_type, p_container, p_size FROM {read('part')}",
        "supplier": f"SELECT s_suppkey, s_name, s_nationkey FROM {read('supplier')}",
        "snation": f"SELECT n_nationkey sn_nationkey, n_name s_nation, n_regionkey sn_regionkey FROM {read('nation')}",
        "sregion": f"SELECT r_regionkey sr_regionkey, r_name s_region FROM {read('region')}",
    }, [("lineitem", "l_orderkey", "orders", "o_orderkey"), ("orders", "o_custkey", "customer", "c_custkey"),
        ("customer", "c_nationkey", "cnation", "cn_nationkey"), ("cnation", "cn_regionkey", "cregion", "cr_regionkey"),
        ("lineitem", "l_partkey", "part", "p_partkey"), ("lineitem", "l_suppkey", "supplier", "s_suppkey"),
        ("supplier", "s_nationkey", "snation", "sn_nationkey"), ("snation", "sn_regionkey", "sregion", "sr_regionkey")])
