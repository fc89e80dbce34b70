"""KITTI's raw data (Geiger et al., IJRR 2013): drives as recorded, synchronised and rectified; read.

    2011_09_26/calib_*.txt
    2011_09_26/2011_09_26_drive_0001_sync/{image_00..03,velodyne_points,oxts}/{timestamps.txt,data/*}
    2011_09_26/2011_09_26_drive_0001_sync/tracklet_labels.xml

A path is a drive, a day, or a folder of days. The world begins at the first pose, east, north and up.
"""

from pathlib import Path

from formats.format import Format
from formats.kitti.raw.folder import drives, is_raw
from formats.kitti.raw.read import open_log
from formats.kitti.raw.tracklets import read_labels


def _log_ids(path: Path) -> list[str]:
    return [*drives(path)]


KITTI_RAW = Format(
    name="kitti_raw",
    title="KITTI raw",
    recognises=is_raw,
    log_ids=_log_ids,
    open_log=open_log,
    read_labels=read_labels,
)
