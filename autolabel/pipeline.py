"""From what little is known about a drive to labels for all of it; reads like the method."""

from __future__ import annotations

from autolabel.config import Config
from autolabel.propagate import propagate
from autolabel.tracks import track_detections
from calib.errors import CrosslabelError
from fusion.edits import Edit
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

__all__ = ["Progress", "propose"]


def propose(
    log: DriveLog,
    *,
    keyframes: LabelSet | None = None,
    detections: LabelSet | None = None,
    config: Config | None = None,
    progress: Progress | None = None,
) -> tuple[Edit, ...]:
    """Edits that label all frames of a log, from key frames or from detections.

    Those from `keyframes` apply to the key frames themselves and touch nothing that was given; those
    from `detections` apply to an empty label set. The same input and settings give the same edits.

    Raises:
        CrosslabelError: neither or both are given.
    """
    if keyframes is not None and detections is None:
        return propagate(log, keyframes, config, progress)
    if detections is not None and keyframes is None:
        return track_detections(log, detections, config, progress)
    raise CrosslabelError("labels are proposed from key frames or from detections: give one of the two")
