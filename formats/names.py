"""Names of logs as names of folders."""

from __future__ import annotations

import re
from pathlib import Path

from formats.errors import FormatError

NO_FOLDER = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
LONGEST_BYTES = 200


def folder_name(path: Path, name: str) -> str:
    """The name of a log without what no folder may be called.

    Raises:
        FormatError: nothing is left of it, or too much; names the path that was to be written.
    """
    plain = NO_FOLDER.sub("-", name).strip(" .")
    if not plain or len(plain.encode(errors="replace")) > LONGEST_BYTES:
        raise FormatError(path, "", f"the name of a log must be that of a folder, not {name[:60]!r}")
    return plain


def new_place(root: Path, path: Path, name: str, ending: str = "") -> Path:
    """Where a log goes in a data set that is being written: a folder, or a file with an ending.

    Raises:
        FormatError: as `folder_name`, or another log is there; names the path that was to be written.
    """
    place = root / f"{folder_name(path, name)}{ending}"
    if place.exists():
        raise FormatError(path, name, "two logs of this name")
    return place
