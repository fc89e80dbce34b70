"""Pictures of objects of many logs: their points from above, and their best image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autolabel.similar import ObjectId
    from calib.types import F32
    from fusion.checks.pictures import Spot
    from fusion.labels import LabelSet, Track
    from fusion.log import DriveLog
    from scripts.report import Part, Picture
    from scripts.similar_pool import Objects


@dataclass(frozen=True, slots=True)
class Caption:
    """An object to draw, and what to say of it."""

    id: ObjectId
    text: str


def pictures_of(objects: Objects, captions: Sequence[Caption]) -> list[Part]:
    """Two pictures of each, in their order; each log is opened once."""
    wanted = {caption.id for caption in captions}
    made: dict[ObjectId, tuple[Picture, Picture, str]] = {}
    for name in sorted({id.log for id in wanted}):
        log, labels = objects.open(objects.by_name[name])
        for id in sorted(id for id in wanted if id.log == name):
            made[id] = _of_track(log, labels, labels.tracks[id.track])
    return [_part(caption, *made[caption.id]) for caption in captions]


def _part(caption: Caption, first: Picture, second: Picture, where: str) -> Part:
    from dataclasses import replace

    from scripts.report import Pair

    said = f"{caption.text}, {caption.id}, {where}."
    return Pair(replace(first, caption=said), second)


def _of_track(log: DriveLog, labels: LabelSet, track: Track) -> tuple[Picture, Picture, str]:
    from fusion.checks.pictures import close_up, in_image
    from scripts.report import Picture

    spot = _spot(log, labels, track)
    points_ego = _points(log, spot.timestamp_ns)
    above = Picture(close_up(points_ego, labels, spot), "", False)
    frame = int(log.frames_at([spot.timestamp_ns])[0])
    where = f"frame {frame}" if frame >= 0 else "between frames"
    shown = in_image(log, labels, spot)
    if shown is not None:
        return above, Picture(shown[1], f"{shown[0]}."), where
    return above, Picture(close_up(points_ego, labels, spot, side=True), "From its side.", False), where


def _spot(log: DriveLog, labels: LabelSet, track: Track) -> Spot:
    """Where an image shows the track best, or else where it is nearest to the car."""
    from autolabel.similar.gather import frames_of
    from autolabel.similar.views import best_frame
    from fusion.checks.pictures import Spot

    shown = best_frame(log, labels, track)
    frames = (frames_of(log, track) or [*track.annotations]) if shown is None else [shown]
    boxes = {t: track.annotations[t].box for t in frames}
    nearest = min(frames, key=lambda t: (float((boxes[t].center[:2] ** 2).sum()), t))
    return Spot(nearest, boxes[nearest], track.id)


def _points(log: DriveLog, timestamp_ns: int) -> F32:
    import numpy as np

    from fusion.align import points_in_ego, read_deskewed

    refs = [log.sweep_at(timestamp_ns, lidar) for lidar in log.rig.lidars]
    clouds = [points_in_ego(log, read_deskewed(log, ref)) for ref in refs if ref is not None]
    return np.concatenate([*clouds, np.zeros((0, 3), np.float32)])
