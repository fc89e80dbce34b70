"""Verifies a recording with Rerun's own program and writes down what its chunks hold.

Runs in an environment of its own, which knows nothing of Crosslabel:
    python rerun_checker.py FILE OUT
writes OUT (a pickle of plain values and arrays).
"""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
from rerun.chunk import RrdReader


def main(file: str, out: str) -> None:
    program = Path(sys.executable).parent / "rerun"
    verified = subprocess.run([program, "rrd", "verify", file], capture_output=True, text=True)
    rows = []
    for chunk in RrdReader(file).stream():
        table = chunk.to_record_batch()
        for index in range(table.num_rows):
            row = {"entity": str(chunk.entity_path), "static": chunk.is_static}
            for name in table.schema.names:
                if name != "rerun.controls.RowId":
                    row[name] = plain(table.column(name)[index])
            rows.append(row)
    said = {"verified": verified.returncode, "words": verified.stderr + verified.stdout, "rows": rows}
    Path(out).write_bytes(pickle.dumps(said))


def plain(value: object) -> object:
    if str(value.type).startswith("timestamp"):
        return value.value
    if "struct" in str(value.type):
        return value.as_py()
    if str(value.type).startswith("list<item: list<item: uint8"):
        return bytes(value.values[0].as_py())
    if str(value.type).startswith("list"):
        found = value.as_py()
        return found if found and isinstance(found[0], str) else np.array(found)
    return value.as_py()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
