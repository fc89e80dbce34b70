"""Every format there is, in the order in which a path is tried."""

from pathlib import Path

from formats.argoverse2 import ARGOVERSE2
from formats.coco import COCO
from formats.folder import FOLDER
from formats.format import Format, recognise
from formats.jsonl import JSONL
from formats.kitti_object import KITTI_OBJECT
from formats.kitti_raw import KITTI_RAW
from formats.kitti_tracking import KITTI_TRACKING
from formats.labelcloud import LABELCLOUD
from formats.labels_db import LABELS_DB
from formats.nuscenes import NUSCENES
from formats.openlabel import OPENLABEL
from formats.pandaset import PANDASET
from formats.recording import RECORDING
from formats.sustech import SUSTECHPOINTS

# KITTI's tracking takes any folder of calibrations, and the last takes a folder that holds labels beside
# other things, so they are tried after those that are particular.
FORMATS: tuple[Format, ...] = (
    FOLDER,
    PANDASET,
    SUSTECHPOINTS,
    KITTI_OBJECT,
    KITTI_RAW,
    KITTI_TRACKING,
    NUSCENES,
    ARGOVERSE2,
    OPENLABEL,
    LABELCLOUD,
    COCO,
    JSONL,
    RECORDING,
    LABELS_DB,
)


def find_format(path: Path, name: str | None = None) -> Format:
    """The format that is named, or the one that a path is in.

    Raises:
        FormatError: nothing there, no such format, or none fits.
    """
    return recognise(path, FORMATS, name)
