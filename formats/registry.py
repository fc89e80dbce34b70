"""Every format there is, in the order in which a path is tried."""

from pathlib import Path

from formats.argoverse2 import ARGOVERSE2
from formats.folder import FOLDER
from formats.format import Format, recognise
from formats.jsonl import JSONL
from formats.kitti_tracking import KITTI_TRACKING
from formats.labels_db import LABELS_DB
from formats.nuscenes import NUSCENES
from formats.pandaset import PANDASET
from formats.sustech import SUSTECHPOINTS

# The last also takes a folder that holds labels beside other things, so it is tried last.
FORMATS: tuple[Format, ...] = (
    FOLDER,
    PANDASET,
    SUSTECHPOINTS,
    KITTI_TRACKING,
    NUSCENES,
    ARGOVERSE2,
    JSONL,
    LABELS_DB,
)


def find_format(path: Path, name: str | None = None) -> Format:
    """The format that is named, or the one that a path is in.

    Raises:
        FormatError: nothing there, no such format, or none fits.
    """
    return recognise(path, FORMATS, name)
