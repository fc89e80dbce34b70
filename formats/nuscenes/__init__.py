"""nuScenes v1.0 and data sets laid out like it, with what nuScenes has no place for in extra fields."""

from formats.format import Format
from formats.losses import Part
from formats.nuscenes.read import log_ids, open_log, recognises
from formats.nuscenes.read_labels import read_labels
from formats.nuscenes.relabel import labels_into, write_labels
from formats.nuscenes.write import write

LOSES = (
    "When each point was measured: points are written deskewed to the instant of their sweep.",
    "Columns of points beside x, y, z, intensity and ring; intensities come back to within one float32 step.",
    "With keyframe_every > 1: the labels of the frames that are no key frames.",
    "Of what lies beside a scene of nuScenes (radars, lidarseg, panoptic, maps, splits, tables and fields of "
    "others, which all go along): tokens, which are made anew, what leads to nothing in the scene or stands "
    "in no table, such as vector maps and CAN bus, and places of fields of boxes, which become attributes.",
    "Sweeps and images that were taken outside of the trajectory.",
    "With undistort (the default): the distortion of a camera and the pixels as they were taken; without it "
    "other readers of nuScenes see boxes and points shifted in images of a camera that has distortion.",
)

NUSCENES = Format(
    name="nuscenes",
    title="nuScenes",
    recognises=recognises,
    log_ids=log_ids,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    labels_into=labels_into,
    loses=LOSES,
    drops=frozenset({Part.BOXES}),
    options={
        "version": "name of the folder of tables",
        "keyframe_every": "every n-th frame becomes an annotated sample, the others become sweeps; by "
        "default every frame, and of a scene of nuScenes what were samples before",
        "undistort": "resample images of cameras with distortion to a pinhole (default), or leave them be",
        "hard_links": "link files of images and radars where the file system can, instead of copying them",
    },
)

__all__ = ["NUSCENES"]
