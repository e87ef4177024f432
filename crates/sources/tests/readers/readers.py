"""Independent QVD readers: what they read in our file, and files of theirs for us to read.

usage: readers.py read FILE        prints {reader: {field: [texts]}}
       readers.py write FOLDER     writes pyqvd.qvd and qvdrs.qvd
"""
import json
import sys

import pyarrow as pa
import qvd
from pyqvd import QvdTable

# The package asks for pandas before its reader, which does without.
sys.modules.setdefault("pandas", type(sys)("pandas"))
from qvd_utils.qvd_utils import QvdReader  # noqa: E402


def text(value):
    return None if value is None else str(value)


def read(path):
    table = QvdTable.from_qvd(path)
    rows = table.data
    ours = {"pyqvd": {name: [text(row[i].display_value if row[i] is not None else None) for row in rows]
                      for i, name in enumerate(table.columns)}}
    ours["qvdrs"] = qvd.read_qvd(path).to_dict()
    reader = QvdReader(path)
    columns = reader.fetch_rows(reader.get_number_of_records())
    ours["qvd-utils"] = {name: [text(v) for v in values] for name, values in columns.items()}
    print(json.dumps(ours))


def write(folder):
    columns = {
        "N": [1, 2, None, -300, 2_000_000_000],
        "R": [0.5, None, -2.25, 1e300, 0.5],
        "T": ["a", "é €", None, "with \"quotes\", commas", "a"],
        "C": [7, 7, 7, 7, 7],
        "E": [None, None, None, None, None],
    }
    rows = [list(row) for row in zip(*columns.values())]
    QvdTable.from_dict({"columns": list(columns), "data": rows}).to_qvd(f"{folder}/pyqvd.qvd")
    types = {"N": pa.int64(), "R": pa.float64(), "T": pa.string(), "C": pa.int64(), "E": pa.string()}
    batch = pa.record_batch([pa.array(v, types[k]) for k, v in columns.items()], names=list(columns))
    qvd.QvdTable.from_arrow(batch, "T").save(f"{folder}/qvdrs.qvd")


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](sys.argv[2])
