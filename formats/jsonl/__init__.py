"""JSON lines: everything that is said of a log, a line a box, for tables, for diffs and for version control.

The first line tells the log and what is said of it as a whole. Each object is a line, then a line for each
rectangle in an image, and a line a box: the centre in the ego frame at the instant of the frame, length,
width and height in metres, the rotation as a quaternion w x y z. Objects come by id, boxes by time, and
keys in one order, so that the same labels give the same bytes.
"""

from formats.format import Format
from formats.jsonl.read import log_ids, read_labels, recognises
from formats.jsonl.write import write_labels

JSONL = Format(
    name="jsonl",
    title="JSON lines",
    recognises=recognises,
    log_ids=log_ids,
    read_labels=read_labels,
    write_labels=write_labels,
)

__all__ = ["JSONL"]
