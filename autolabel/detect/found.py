"""Boxes with what they are and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.detect.priors import PRIORS
from autolabel.detections import Detections
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.overlap import iou_bev

TOUCHING = 0.1
WITHIN = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """Boxes in the local world.

    Attributes:
        boxes: N of them.
        scores: (N,) how sure each is.
        kinds: (N,) which of `PRIORS` each is of.
    """

    boxes: Boxes
    scores: F64
    kinds: I64

    def take(self, kept: np.ndarray) -> Found:
        """Some of them."""
        return Found(self.boxes.take(kept), self.scores[kept], self.kinds[kept])

    def with_more(self, other: Found) -> Found:
        """These and others."""
        boxes = Boxes.concatenate([self.boxes, other.boxes])
        scores, kinds = np.concatenate([self.scores, other.scores]), np.concatenate([self.kinds, other.kinds])
        return Found(boxes, scores, kinds)

    def at_least(self, score: float) -> Found:
        """The sure ones, none that overlaps a surer one or lies in it; of those alike the first."""
        order = np.argsort(-np.round(self.scores, 1), kind="stable")
        found = self.take(order[self.scores[order] >= score])
        return found.take(_apart(found.boxes))

    def outside(self, boxes: Boxes) -> Found:
        """Those that do not lie mostly in others."""
        if len(boxes) == 0 or len(self.scores) == 0:
            return self
        inside = (_share_inside(iou_bev(self.boxes, boxes), self.boxes, boxes) > WITHIN).any(axis=1)
        return self.take(np.flatnonzero(~inside))

    def detections(self, frame_ns: int) -> Detections:
        """As detections of one frame, the surest first."""
        found = self.take(np.argsort(-self.scores, kind="stable"))
        categories = tuple(PRIORS[k].category for k in found.kinds)
        times_ns = np.full(len(found.scores), frame_ns, dtype=np.int64)
        return Detections(times_ns, found.boxes, found.scores, categories)


def _apart(boxes: Boxes) -> Bools:
    """(N,) which boxes to keep, the surest first: none that overlaps a kept one or lies in it."""
    keep = np.ones(len(boxes), dtype=np.bool_)
    if len(boxes) < 2:
        return keep
    iou = iou_bev(boxes, boxes)
    clash = (iou > TOUCHING) | (_share_inside(iou, boxes, boxes) > WITHIN)
    for i in range(len(boxes)):
        if keep[i]:
            keep[i + 1 :] &= ~clash[i + 1 :, i]
    return keep


def _share_inside(iou: F64, a: Boxes, b: Boxes) -> F64:
    """(A, B) which share of each first box lies in each second one, seen from above."""
    areas_a, areas_b = (np.prod(boxes.sizes_lwh_m[:, :2], axis=1) for boxes in (a, b))
    shared = iou / (1 + iou) * (areas_a[:, None] + areas_b[None])
    return np.asarray(shared / areas_a[:, None])
