"""`crosslabel.json` in a scene: what SUSTechPOINTS has no place for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calib.se3 import SE3
from formats.errors import FormatError
from formats.extras import Extras, labels_extra, read_extras
from formats.fields import read_json_fields
from formats.files import inside, write_json
from formats.rigs.sustech import BESIDE, EGO_FROM_LIDAR
from fusion.labels import LabelSet

LABELS_KEY = "labels"


def write_beside(folder: Path, ego_from_lidar: SE3, labels: LabelSet) -> None:
    """Writes what labels say beside their boxes, and how the LiDAR sits on the car.

    Raises:
        FormatError: it cannot be written.
    """
    content: dict[str, Any] = {EGO_FROM_LIDAR: ego_from_lidar.matrix.ravel().tolist()}
    write_json(folder / BESIDE, content | {LABELS_KEY: labels_extra(labels)})


def read_beside(folder: Path) -> Extras:
    """What labels say beside their boxes; nothing where there is no such file.

    Raises:
        FormatError: it is malformed.
    """
    file = folder / BESIDE
    kept = read_json_fields(file).get(LABELS_KEY) if file.is_file() else None
    return read_extras(kept) if kept else Extras()


def folder_of_log(root: Path, name: str) -> Path:
    """The folder of a log's scene.

    Raises:
        FormatError: the name is not that of a folder.
    """
    folder = inside(root, name, root, "name of the log")
    if folder.parent != root:
        raise FormatError(root, "", f"the name of a log must be that of a folder, not {name!r}")
    return folder
