"""Crosslabel's own labels: `labels.db`, one a log, alone or in folders named after the logs."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError
from formats.files import inside
from formats.format import Format
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.store import LabelStore, is_ours, read_log_name

FILE_NAME = "labels.db"


def recognises(path: Path) -> bool:
    """Whether it is a file of ours, or a folder that holds one or a folder of one a log."""
    return next(iter(_files(path)), None) is not None


def log_ids(path: Path) -> list[str]:
    """The logs whose labels lie there, by the names that the files give, in order.

    Raises:
        FormatError: two files hold labels of one log.
        StoreError: a file cannot be read.
    """
    return sorted(files_by_log(path))


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The current labels of a log; nothing is lost.

    Raises:
        FormatError: there are none, or only those of other logs.
        StoreError: the file cannot be read.
    """
    file = labels_file(path, log.name)
    if not is_ours(file) or read_log_name(file) != log.name:
        by_log = files_by_log(path)
        if log.name not in by_log:
            found = ", ".join(sorted(by_log)[:5]) or "none"
            raise FormatError(path, "", f"holds no labels of log {log.name!r}, but of: {found}")
        file = by_log[log.name]
    with LabelStore.open(file, read_only=True) as store:
        return store.labels


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Makes a new file: `path` itself where it ends in .db, else `<log>/labels.db` in that folder.

    Raises:
        StoreError: there is such a file already (an edit through `LabelStore` changes it and keeps its
            history), or it cannot be written.
        EditError: the labels hold what cannot be kept.
    """
    LabelStore.create(labels_file(path, log.name), log.name, labels).close()


def labels_file(path: Path, log_name: str) -> Path:
    """Where the labels of a log belong under a path.

    Raises:
        FormatError: the name of the log leads out of the folder.
    """
    if path.suffix == ".db":
        return path
    return inside(path, log_name, path, "name of the log") / FILE_NAME


def _files(path: Path) -> list[Path]:
    if is_ours(path):
        return [path]
    if is_ours(path / FILE_NAME):
        return [path / FILE_NAME]
    return sorted(file for file in path.glob(f"*/{FILE_NAME}") if is_ours(file))


def files_by_log(path: Path) -> dict[str, Path]:
    """The files of labels under a path by the names of their logs.

    Raises:
        FormatError: two of them hold labels of one log.
    """
    found: dict[str, Path] = {}
    for file in _files(path):
        name = read_log_name(file)
        if name in found:
            raise FormatError(path, "", f"two files of labels of log {name!r}: {found[name]} and {file}")
        found[name] = file
    return found


LABELS_DB = Format(
    name="crosslabel",
    title="Crosslabel labels",
    recognises=recognises,
    log_ids=log_ids,
    read_labels=read_labels,
    write_labels=write_labels,
)
