"""KITTI's tracking benchmark (Geiger, Lenz, Urtasun, CVPR 2012): read and written.

KITTI tracking has no clock: frame i is taken at i tenths of a second, unless a file of times is there,
as this writer leaves one. Without `oxts` the car stands still until `read_poses` gives it a way.
"""

from formats.format import Format
from formats.kitti.tracking.folder import is_tree, sequences
from formats.kitti.tracking.labels import read_detections, read_labels
from formats.kitti.tracking.read import open_log, read_poses
from formats.kitti.tracking.write import write
from formats.kitti.tracking.write_labels import write_labels
from formats.losses import Part

KITTI_TRACKING = Format(
    name="kitti_tracking",
    title="KITTI tracking",
    recognises=is_tree,
    log_ids=sequences,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    read_detections=read_detections,
    read_poses=read_poses,
    loses=(
        "Objects outside of the image of the one camera that KITTI labels, and labels between frames.",
        "Categories beyond KITTI's eight: each becomes the one that is nearest.",
        "Names of logs and of tracks that are no numbers, authors, reviews, and attributes other than "
        "truncated and occluded.",
        "The tilt of a box against the camera, and digits beyond a micrometre.",
        "Cameras and LiDARs other than the first of each, rings and point times, and lens distortion.",
        "The instants of sweeps: a frame is taken at the instant of its image, to which points and boxes "
        "are moved with the car.",
        "The origin of the world, which becomes the first pose.",
        "The angle alpha, which is computed anew as seen from camera 0 (KITTI's own is seen from the LiDAR).",
    ),
    drops=frozenset(Part),
    options={"images": "png (default), jpg, or none to leave images out"},
)
