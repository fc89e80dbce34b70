"""Asking all rules that are about a format."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError
from formats.format import Format
from formats.validate.counted import check_counts
from formats.validate.fault import Fault, Faults
from formats.validate.general import GENERAL_RULES, OPENS, check_log
from formats.validate.nuscenes import check_tables
from formats.validate.nuscenes_rules import NUSCENES_RULES
from fusion.progress import Progress

RULES = (*GENERAL_RULES, *NUSCENES_RULES)


def validate(source: Format, path: Path, *, every: int = 1, progress: Progress | None = None) -> list[Fault]:
    """What is wrong with a data set, the worst first.

    Args:
        source: its format.
        path: where it is.
        every: every n-th sweep and image of each log is read; the tables are looked at whole.
        progress: called with a log's name, readings so far and in all.

    Raises:
        FormatError: there is no such data set at all.
    """
    faults = Faults()
    if source.name == "nuscenes":
        check_tables(path, faults)
    ids: list[str] = []
    try:
        ids = source.log_ids(path)
    except FormatError as error:
        faults.add(OPENS, error.path, error.where, error.message)
    else:
        if not ids:
            faults.add(OPENS, ".", "", f"there is no log that is {source.title}")
    for log_id in ids:
        check_log(source, path, log_id, faults, every, progress)
        if source.name == "nuscenes":
            check_counts(path, log_id, faults, every)
    return faults.listed()
