"""From shapes to boxes: what each is, how large it is, and which way it faces."""

from __future__ import annotations

import numpy as np

from autolabel.detect.complete import completed
from autolabel.detect.config import DetectConfig
from autolabel.detect.found import Found
from autolabel.detect.headings import backwards
from autolabel.detect.judge import Judge
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import Shapes
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes

LARGE_M = 2.5
NEIGHBOUR_M = 12.0
DRIVEN_MPS = 1.5


def judged(
    shapes: Shapes, starts: I64, config: DetectConfig, road: F64, others: Boxes | None = None
) -> Found:
    """A box for each shape.

    Args:
        shapes: of one frame after the other.
        starts: (F + 1,) where each frame begins.
        config: settings.
        road: see `headings.road_of`.
        others: boxes of what is there in every frame.
    """
    kinds, scores = Judge.built_in().kinds(shapes)
    boxes = completed(shapes, kinds, _hints(shapes, starts, others))
    vehicle = np.array([prior.kind.is_vehicle for prior in PRIORS])[kinds]
    boxes = _turned(boxes, vehicle & backwards(shapes, boxes, road, config.right_hand))
    return Found(boxes, scores, kinds)


def _turned(boxes: Boxes, backwards: Bools) -> Boxes:
    """With some boxes turned half round."""
    signs = np.where(backwards[:, None], [-1.0, -1.0, 1.0], 1.0)
    rotations = boxes.dst_from_box.rotations * signs[:, None]
    return Boxes(SE3Batch(rotations, boxes.dst_from_box.translations), boxes.sizes_lwh_m)


def _hints(shapes: Shapes, starts: I64, others: Boxes | None) -> F64:
    """(C,) the direction of the nearest thing that is as long as a car; NaN where none is near.

    What drives has its own direction.
    """
    from autolabel.detect import _follow_kernels

    long_ones = shapes.extents_m.max(axis=1, initial=0.0) > LARGE_M
    across = shapes.extents_m[:, 1] > shapes.extents_m[:, 0]
    yaws = shapes.yaws_rad + np.where(across, np.pi / 2, 0.0)
    places, more_yaws = np.empty((0, 3)), np.empty(0)
    if others is not None:
        large = others.sizes_lwh_m[:, 0] > LARGE_M
        places, more_yaws = others.dst_from_box.translations[large], others.dst_from_box.yaws_rad[large]
    hints = np.empty(len(shapes))
    centers = np.ascontiguousarray(shapes.centers)
    _follow_kernels.nearest_long(centers, starts, long_ones, yaws, places, more_yaws, NEIGHBOUR_M, hints)
    driven = np.nan_to_num(np.linalg.norm(shapes.moved_m, axis=1)) > DRIVEN_MPS
    return np.where(driven, np.arctan2(shapes.moved_m[:, 1], shapes.moved_m[:, 0]), hints)
