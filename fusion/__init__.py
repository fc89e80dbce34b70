"""What was measured and what is claimed about it, in one frame and on one clock."""

from fusion.boxes import Box3D, Boxes
from fusion.errors import EditError, StoreError, TimeRangeError
from fusion.labels import Annotation, ImageBox, LabelSet, Review, Source, Track
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.sweep import Sweep, deskew
from fusion.trajectory import Trajectory

__all__ = [
    "Annotation",
    "Box3D",
    "Boxes",
    "DriveLog",
    "EditError",
    "ImageBox",
    "ImageRef",
    "LabelSet",
    "MissingFrame",
    "Review",
    "Source",
    "StoreError",
    "Sweep",
    "SweepRef",
    "TimeRangeError",
    "Track",
    "Trajectory",
    "deskew",
]
