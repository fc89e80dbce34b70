"""KITTI's object benchmark (Geiger, Lenz, Urtasun, CVPR 2012): read and written.

    training/{calib,image_2,velodyne,label_2}/000000.*    testing/ likewise    ImageSets/<set>.txt

Frames are not connected: every object is a track of one box, called by frame and place. A log has one rig, so
frames of one folder make as many logs as it has calibrations and sizes of images; the frames of a set
are opened by its name.
"""

from formats.format import Format
from formats.kitti.object.folder import is_tree, log_ids
from formats.kitti.object.read import open_log, read_labels
from formats.kitti.object.write import write, write_labels
from formats.losses import Part

KITTI_OBJECT = Format(
    name="kitti_object",
    title="KITTI object",
    recognises=is_tree,
    log_ids=log_ids,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    loses=(
        "Which boxes are of one object: each becomes a track of its own.",
        "Objects outside of the image of the one camera that KITTI labels, and labels between frames.",
        "Categories beyond KITTI's eight: each becomes the one that is nearest.",
        "Authors, locks, reviews, attributes other than truncated and occluded, scores beyond six digits.",
        "The tilt of a box against the camera, and digits beyond a micrometre.",
        "The car's way, and instants: frame n is read at n seconds.",
        "Cameras and LiDARs other than the first of each, rings and point times, and lens distortion.",
    ),
    drops=frozenset(Part),
    within_m=5e-6,
    options={"images": "png (default), jpg, or none to leave images out"},
)
