"""ASAM OpenLABEL 1.0.0: labels as JSON, one file a log, `<log>.json`.

A frame carries its instant in ns and where the car stood. An object's key is the id of its track where the
standard allows that (a number or a UUID), else a UUID made of it; its name is the id. Boxes are cuboids of
ten values in the system of the car. Of other people's files, cuboids may also be in the system of any sensor
whose place the file or the log's rig tells, with Euler angles, and frames without timestamps.
"""

from formats.format import Format
from formats.openlabel.read import log_ids, read_labels, recognises
from formats.openlabel.write import write_labels

OPENLABEL = Format(
    name="openlabel",
    title="ASAM OpenLABEL",
    recognises=recognises,
    log_ids=log_ids,
    read_labels=read_labels,
    write_labels=write_labels,
)

__all__ = ["OPENLABEL"]
