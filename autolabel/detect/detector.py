"""Boxes out of nothing but scans: what stands, once a drive, and what moves, sweep by sweep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from autolabel.detect import candidates
from autolabel.detect.background import Background
from autolabel.detect.config import DetectConfig
from autolabel.detect.found import Found
from autolabel.detect.freespace import spaced
from autolabel.detect.headings import road_of
from autolabel.detect.judged import LARGE_M, judged
from autolabel.detect.movers import Movers
from autolabel.detections import Detections
from autolabel.scans import Scan, Scans, Stretch
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.overlap import count_points_in_boxes

SLACK_M = 0.1
CREEP_M = 0.3


class Detector(Protocol):
    """Finds the objects of one frame: learning-free, a network, or what somebody else has written.

    Attributes:
        calibrated: whether its scores are chances that there is an object.
    """

    @property
    def calibrated(self) -> bool:
        """See above."""
        ...

    def detect(self, scans: Scans, frame: int) -> Detections:
        """Boxes in the local world, the surest first; none where the frame has no scan."""
        ...


@dataclass(eq=False, slots=True)
class PlainDetector:
    """Knows no network: what can be told from points, from motion and from usual sizes.

    The first frame asked for costs a pass over all scans, in which what stands is told from what moves; of a
    long drive over a stretch of it. Frames are best asked for in their order.

    Attributes:
        config: settings.
        calibrated: yes, on simulated drives.
    """

    config: DetectConfig = field(default_factory=DetectConfig)
    calibrated: bool = field(init=False, default=True)
    _known: tuple[Scans, range, Survey] | None = field(init=False, repr=False, default=None)

    def detect(self, scans: Scans, frame: int) -> Detections:
        """What stands and is seen in this frame, and what moves in it."""
        scan, frame_ns = scans.at(frame), int(scans.frames_ns[frame])
        frames, survey = self._survey(scans, frame)
        if scan is None:
            return survey.standing.take(np.empty(0, dtype=np.int64)).detections(frame_ns)
        here = survey.standing.take(_seen_now(survey.standing, scan, self.config))
        moving = survey.movers.of_frame(frame - frames.start)
        found = survey.moving.take(moving).at_least(self.config.least_score)
        return here.with_more(found.outside(here.boxes)).detections(frame_ns)

    def _survey(self, scans: Scans, frame: int) -> tuple[range, Survey]:
        """What stands in the stretch of a log that a frame lies in, and what moves, found once."""
        frames = stretch_of(frame, len(scans), self.config.survey_frames)
        if self._known is None or self._known[0] is not scans or self._known[1] != frames:
            self._known = None  # not two at a time
            self._known = scans, frames, Survey.of(scans.of(frames), self.config)
        return self._known[1], self._known[2]


def stretch_of(frame: int, count: int, length: int) -> range:
    """The frames that are surveyed with one of `count` frames: about `length` of them, and some more."""
    parts = max(round(count / length), 1)
    bounds = np.linspace(0, count, parts + 1).round().astype(int)
    part = int(np.searchsorted(bounds, frame, side="right")) - 1
    more = length // 6
    return range(max(int(bounds[part]) - more, 0), min(int(bounds[part + 1]) + more, count))


@dataclass(frozen=True, eq=False, slots=True)
class Survey:
    """Everything found in a drive.

    Attributes:
        background: what stands, as points.
        standing: as boxes.
        movers: what moves, as shapes.
        moving: as boxes, one a shape.
    """

    background: Background
    standing: Found
    movers: Movers
    moving: Found

    @classmethod
    def of(cls, scans: Scans | Stretch, config: DetectConfig) -> Survey:
        """Looks at all scans of a log, or of a stretch of it."""
        road = road_of(scans.world)
        background = Background.of(scans, config)
        standing = _standing(background, scans, config, road)
        restless = _restless(standing, background, scans, config)
        if restless.any():
            background = background.without(_grown(standing.take(restless).boxes, CREEP_M))
            standing = _standing(background, scans, config, road)
        movers = Movers.of(scans, background, config)
        moving = judged(movers.shapes, movers.starts, config, road, standing.boxes)
        return cls(background, standing, movers, moving)


def _standing(background: Background, scans: Scans | Stretch, config: DetectConfig, road: F64) -> Found:
    shapes = candidates.standing(background, scans, config)
    return judged(shapes, np.array([0, len(shapes)]), config, road).at_least(config.least_score)


def _grown(boxes: Boxes, margin_m: float) -> Boxes:
    return Boxes(boxes.dst_from_box, boxes.sizes_lwh_m + 2 * margin_m)


def _restless(standing: Found, background: Background, scans: Scans | Stretch, config: DetectConfig) -> Bools:
    """(N,) which things that seem to stand have moving points all about them: they creep."""
    large = np.flatnonzero(standing.boxes.sizes_lwh_m[:, 0] > LARGE_M)
    boxes = _grown(standing.take(large).boxes, CREEP_M)
    moving, all_of_them = np.zeros(len(boxes)), np.zeros(len(boxes))
    for frame in spaced(len(scans), config.looks):
        scan = scans.at(int(frame))
        if scan is not None:
            free = scan.points.take(background.moving(scan, config), axis=0)
            moving += count_points_in_boxes(free, boxes)
            all_of_them += count_points_in_boxes(scan.points, boxes)
    restless = np.zeros(len(standing.boxes), dtype=np.bool_)
    restless[large] = moving > config.restless_share * (1 + all_of_them)
    return restless


def _seen_now(standing: Found, scan: Scan, config: DetectConfig) -> I64:
    """Which standing things a scan has points of."""
    away = np.linalg.norm(standing.boxes.dst_from_box.translations[:, :2] - scan.origin[:2], axis=1)
    near = np.flatnonzero(away <= config.range_m)
    counts = count_points_in_boxes(scan.points, _grown(standing.take(near).boxes, SLACK_M))
    return near[counts >= config.least_seen]
