"""Point clouds in the files people have: PCD, PLY, NPZ, LAS, LAZ and plain .bin; PCD and LAS written."""

from formats.pointcloud.cloud import PointCloud
from formats.pointcloud.las import write_las
from formats.pointcloud.pcd import write_pcd
from formats.pointcloud.read import ENDINGS, is_point_file, point_file_stem, read_points

__all__ = [
    "ENDINGS",
    "PointCloud",
    "is_point_file",
    "point_file_stem",
    "read_points",
    "write_las",
    "write_pcd",
]
