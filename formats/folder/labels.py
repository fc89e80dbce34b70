"""The labels beside a plain log: `labels.db`, where there is one."""

from __future__ import annotations

from pathlib import Path

from formats import labels_db
from formats.folder.read import log_folder
from fusion.labels import LabelSet
from fusion.log import DriveLog


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log; none where its folder holds no labels.db.

    Raises:
        FormatError: there is no such log, or its labels are those of another.
        StoreError: the file cannot be read.
    """
    file = log_folder(path, log.name) / labels_db.FILE_NAME
    return labels_db.read_labels(file, log) if file.is_file() else LabelSet()
