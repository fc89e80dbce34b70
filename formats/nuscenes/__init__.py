"""nuScenes v1.0 and data sets laid out like it, with what nuScenes has no place for in extra fields."""

from formats.format import Format
from formats.losses import Part
from formats.nuscenes.read import log_ids, open_log, recognises
from formats.nuscenes.read_labels import read_labels
from formats.nuscenes.write import write

LOSES = (
    "When each point was measured: points are written deskewed to the instant of their sweep.",
    "Columns of points beside x, y, z, intensity and ring; intensities come back to within one float32 step.",
    "With keyframe_every > 1: the labels of the frames that are no key frames.",
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
    loses=LOSES,
    drops=frozenset({Part.BOXES}),
    options={
        "version": "name of the folder of tables",
        "keyframe_every": "every n-th frame becomes an annotated sample, the others become sweeps",
        "undistort": "resample images of cameras with distortion to a pinhole (default), or leave them be",
        "hard_links": "link image files where the file system can, instead of copying them",
    },
)

__all__ = ["NUSCENES"]
