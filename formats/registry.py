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
from formats.mcap import MCAP
from formats.mmdet3d import MMDET3D
from formats.nuscenes import NUSCENES
from formats.openlabel import OPENLABEL
from formats.pandaset import PANDASET
from formats.recording import RECORDING
from formats.rerun import RERUN
from formats.sustech import SUSTECHPOINTS
from formats.t4 import T4
from formats.waymo import WAYMO

# KITTI's tracking takes any folder of calibrations, and `labels.db` may lie beside other things, so they are
# tried after those that are particular. The last four are written only.
FORMATS: tuple[Format, ...] = (
    FOLDER,
    PANDASET,
    SUSTECHPOINTS,
    KITTI_OBJECT,
    KITTI_RAW,
    KITTI_TRACKING,
    NUSCENES,
    ARGOVERSE2,
    WAYMO,
    OPENLABEL,
    LABELCLOUD,
    JSONL,
    MCAP,
    RECORDING,
    LABELS_DB,
    T4,
    MMDET3D,
    COCO,
    RERUN,
)


def find_format(path: Path, name: str | None = None) -> Format:
    """The format that is named, or the one that a path is in.

    Raises:
        FormatError: nothing there, no such format, or none fits.
    """
    return recognise(path, FORMATS, name)
