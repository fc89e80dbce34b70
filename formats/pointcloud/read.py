"""A file of points read by its ending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from formats.errors import FormatError
from formats.pointcloud.cloud import Column, PointCloud, cloud_of
from formats.pointcloud.las import read_las
from formats.pointcloud.pcd import read_pcd
from formats.pointcloud.ply import read_ply
from formats.pointcloud.tables import read_bin, read_npz

READERS: dict[str, Callable[[Path], dict[str, Column]]] = {
    ".pcd.bin": read_bin,
    ".pcd": read_pcd,
    ".ply": read_ply,
    ".npz": read_npz,
    ".bin": read_bin,
    ".las": read_las,
    ".laz": read_las,
}
ENDINGS = tuple(READERS)


def read_points(path: Path) -> PointCloud:
    """The points of a .pcd, .ply, .npz, .bin, .las or .laz file.

    Raises:
        FormatError: another ending, missing, cut short or malformed.
    """
    for ending, read in READERS.items():
        if path.name.lower().endswith(ending):
            with np.errstate(invalid="ignore"):
                return cloud_of(path, read(path))
    raise FormatError(path, "", f"not a file of points: known endings are {', '.join(ENDINGS)}")


def is_point_file(path: Path) -> bool:
    """Whether the ending is one of a file of points."""
    return path.name.lower().endswith(ENDINGS)


def point_file_stem(path: Path) -> str:
    """The name of a file of points without its ending."""
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")
    return path.name[: len(path.name) - len(ending)]
