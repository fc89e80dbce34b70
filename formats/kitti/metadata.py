"""What a log that came from KITTI says of itself, so that its labels can be read and written again."""

from __future__ import annotations

import numpy as np

from calib.se3 import SE3
from fusion.log import DriveLog

FIRST_FRAME, FRAME_PERIOD_NS = "first_frame", "frame_period_ns"
RECT0_FROM_EGO = "rect0_from_ego"
LABEL_CAMERA = "image_02"
LIDAR = "velodyne"
DONT_CARE_ATTRIBUTE = "kitti_dontcare"
USUAL_SIZE_PX = (1242, 375)


def label_frame_of(log: DriveLog) -> SE3 | None:
    """Returns rect0_from_ego of a log that came from KITTI: labels are written in that camera's frame."""
    text = log.metadata.get(RECT0_FROM_EGO)
    return None if text is None else SE3.nearest(np.array(text.split(), dtype=np.float64).reshape(3, 4))


def label_frame_text(rect0_from_ego: SE3) -> str:
    """As a log's metadata keep it, to the last digit."""
    return " ".join(repr(float(number)) for number in rect0_from_ego.matrix[:3].ravel())


def frame_numbers(log: DriveLog) -> dict[int, int]:
    """KITTI's frame numbers by timestamp; a log from elsewhere counts from 0."""
    times_ns = log.timestamps_ns.tolist()
    if FRAME_PERIOD_NS in log.metadata:
        return {t: t // int(log.metadata[FRAME_PERIOD_NS]) for t in times_ns}
    first = int(log.metadata.get(FIRST_FRAME, "0"))
    return {t: first + index for index, t in enumerate(times_ns)}
