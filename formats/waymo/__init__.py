"""The Waymo Open Dataset's perception data in version 2 (parquet), read.

A folder a component (`vehicle_pose`, `lidar`, `camera_image` and so on), in it a file a segment. Boxes that
are others projected, camera-synchronised boxes, segmentation and key points are left aside.
"""

from formats.format import Format
from formats.waymo.folder import is_data_set, segments
from formats.waymo.labels import read_labels
from formats.waymo.read import open_log

WAYMO = Format(
    name="waymo",
    title="Waymo Open v2",
    recognises=is_data_set,
    log_ids=segments,
    open_log=open_log,
    read_labels=read_labels,
)

__all__ = ["WAYMO"]
