"""Whether two answers to the same question are equal."""
import datetime
import math


def canonical(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime.date):  # a day is a number: days since 1899-12-30
        return float((value - datetime.date(1899, 12, 30)).days)
    value = float(value)
    return None if math.isnan(value) else value


def answers(rows):
    """The rows of an answer in an order of their own."""
    rows = [tuple(canonical(v) for v in r) for r in rows]
    return sorted(rows, key=lambda r: [(v is None, isinstance(v, str), v if v is not None else 0) for v in r])


def same(a, b):
    def near(x, y):
        if isinstance(x, float) and isinstance(y, float):
            return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1)
        return x == y
    return len(a) == len(b) and all(len(r) == len(s) and all(map(near, r, s)) for r, s in zip(a, b))
