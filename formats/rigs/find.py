"""Every kind of calibration file there is, in the order in which a path is tried."""

from __future__ import annotations

from pathlib import Path

from calib.rig import Rig
from formats.errors import FormatError
from formats.rigs.argoverse2 import ARGOVERSE2
from formats.rigs.kalibr import KALIBR
from formats.rigs.kind import RigKind
from formats.rigs.kitti import KITTI_BENCHMARK, KITTI_RAW
from formats.rigs.ncore import NCORE
from formats.rigs.nuscenes import NUSCENES_SENSORS
from formats.rigs.opencalib import OPENCALIB
from formats.rigs.opencv import OPENCV
from formats.rigs.rig_json import RIG_JSON
from formats.rigs.ros import ROS_CAMERA_INFO
from formats.rigs.sustech import SUSTECH_RIG

KINDS: tuple[RigKind, ...] = (
    RIG_JSON,
    NCORE,
    KALIBR,
    OPENCV,
    OPENCALIB,
    ROS_CAMERA_INFO,
    KITTI_BENCHMARK,
    KITTI_RAW,
    ARGOVERSE2,
    SUSTECH_RIG,
    NUSCENES_SENSORS,
)


def find_rig(path: Path, kind: str | None = None) -> Rig:
    """The rig in a calibration file or folder of any kind: the one that is named, or the first that fits.

    Raises:
        FormatError: nothing there, no such kind, none fits, or what fits is malformed.
    """
    return find_kind(path, kind).read(path)


def find_kind(path: Path, name: str | None = None) -> RigKind:
    """The kind of a calibration file or folder.

    Raises:
        FormatError: nothing there, no such kind, or none fits.
    """
    if name is not None:
        named = next((kind for kind in KINDS if kind.name == name), None)
        if named is None:
            known = ", ".join(kind.name for kind in KINDS)
            raise FormatError(path, "", f"there is no kind of rig {name!r}; known are {known}")
        return named
    if not path.exists():
        raise FormatError(path, "", "no such file or folder")
    found = next((kind for kind in KINDS if kind.recognises(path)), None)
    if found is None:
        tried = ", ".join(kind.title for kind in KINDS)
        raise FormatError(path, "", f"not a calibration that is known here ({tried})")
    return found
