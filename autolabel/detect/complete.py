"""From the rectangle that was seen to the box of the whole thing: it grows away from the sides that were."""

from __future__ import annotations

import numpy as np

from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import Shapes
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.categories import Kind

GRAZING = 0.08
SKIN_M = 0.05
ROUNDED, MOST_ROUNDED_M = 0.6, 0.7
ALIKE = 0.75
END_VIEW = 1.2
WALKING_M = 0.95
WALKING_MPS = 0.4
RIDING_MPS = 1.5
SHOULDERS_M = 0.6
SIZES = np.array([prior.size_lwh_m for prior in PRIORS])
LEAST = np.array([(prior.shortest_m, prior.narrowest_m, prior.lowest_m) for prior in PRIORS])


def completed(shapes: Shapes, kinds: I64, hints_rad: F64 | None = None) -> Boxes:
    """Boxes around shapes, upright in the local world; the heading may be half a turn wrong.

    Args:
        shapes: what was seen.
        kinds: (C,) of which of `PRIORS` each is.
        hints_rad: (C,) along which direction the length of things nearby lies, NaN where nobody knows.
    """
    hints = np.full(len(shapes), np.nan) if hints_rad is None else hints_rad
    length, width = SIZES[kinds, 0], SIZES[kinds, 1]
    turned = _length_across(shapes, width, hints)
    yaws = np.where(turned, shapes.yaws_rad + np.pi / 2, shapes.yaws_rad)
    along = np.where(turned, shapes.extents_m[:, 1], shapes.extents_m[:, 0])
    across = np.where(turned, shapes.extents_m[:, 0], shapes.extents_m[:, 1])
    seen = shapes.seen > GRAZING
    seen = np.where(turned[:, None], seen[:, [2, 3, 1, 0]], seen)
    ends, flanks = seen[:, :2], seen[:, 2:]
    known = shapes.longest_m >= LEAST[kinds, 0]
    length = np.where(known, _rounded(shapes.longest_m + SKIN_M, length), length)
    long_m, ahead_m = _side(along, length, LEAST[kinds, 0], ends, _any(flanks) & ~known)
    wide_m, left_m = _side(across, width, LEAST[kinds, 1], flanks, _any(ends))
    c, s = np.cos(yaws), np.sin(yaws)
    away = np.column_stack([c * ahead_m - s * left_m, s * ahead_m + c * left_m, np.zeros(len(shapes))])
    sizes = np.column_stack([long_m, wide_m, _heights(shapes, kinds)])
    person, rider = (
        np.array([prior.kind is kind for prior in PRIORS])[kinds] for kind in (Kind.PEDESTRIAN, Kind.BICYCLE)
    )
    yaws[person], sizes[person, :2] = _on_foot(shapes.take(person))
    rider &= np.nan_to_num(np.linalg.norm(shapes.moved_m, axis=1)) > RIDING_MPS
    yaws[rider], sizes[rider, :2] = np.arctan2(*shapes.moved_m[rider].T[::-1]), SIZES[kinds[rider], :2]
    return _upright(shapes.centers + np.where((person | rider)[:, None], 0.0, away), yaws, sizes)


def _length_across(shapes: Shapes, widths_m: F64, hints_rad: F64) -> Bools:
    """(C,) whether the length lies along the second side of the rectangle.

    Where so little was seen that it may as well be the width as a part of the length, the hint says.
    """
    first, second = shapes.extents_m.T
    end_on = np.maximum(first, second) < END_VIEW * widths_m
    alike = np.cos(2 * (hints_rad - shapes.yaws_rad))
    hinted = np.abs(np.nan_to_num(alike)) > ALIKE
    facing = np.where(hinted, alike < 0, first > second)
    return np.asarray(np.where(end_on, facing, second > first))


def _side(extent: F64, usual: F64, least: F64, faces: Bools, beside: Bools) -> tuple[F64, F64]:
    """The size along one axis, and how far the middle moves along it.

    An extent is the whole size where both of its ends were seen. Where only a side along it was seen and it
    is long enough, the end away from the LiDAR is a little farther than its last point. Otherwise the box
    grows to the usual size away from the end that was seen.
    """
    skinned = extent + SKIN_M
    whole = faces.all(axis=1) & (extent >= 0.9 * least)
    nearly = beside & (extent >= least)
    grown = np.maximum(skinned, usual)
    size = np.where(whole, skinned, np.where(nearly, _rounded(skinned, usual), grown))
    toward = faces[:, 1].astype(np.float64) - faces[:, 0]
    return size, np.asarray(toward * (size - skinned) / 2)


def _rounded(seen: F64, usual: F64) -> F64:
    """A size of which nearly all was seen: ends are round."""
    return np.asarray(seen + np.clip(ROUNDED * (usual - seen), 0.0, MOST_ROUNDED_M))


def _any(faces: Bools) -> Bools:
    return np.asarray(faces[:, 0] | faces[:, 1])


def _heights(shapes: Shapes, kinds: I64) -> F64:
    return np.where(shapes.tops_m >= LEAST[kinds, 2], shapes.tops_m + 0.06, SIZES[kinds, 2])


def _on_foot(shapes: Shapes) -> tuple[F64, F64]:
    """(C,) headings and (C, 2) lengths and widths of people.

    Who walks faces where he goes and is long by the stride; who stands is wide by the shoulders.
    """
    first, second = shapes.extents_m.T
    main = np.where(second > first, shapes.yaws_rad + np.pi / 2, shapes.yaws_rad)
    known = np.nan_to_num(np.linalg.norm(shapes.moved_m, axis=1)) > WALKING_MPS
    walks = shapes.moving & ~(np.linalg.norm(shapes.moved_m, axis=1) <= WALKING_MPS)
    yaws = np.where(walks, main, main + np.pi / 2)
    yaws[known] = np.arctan2(shapes.moved_m[known, 1], shapes.moved_m[known, 0])
    lengths = np.where(walks, WALKING_M, np.clip(shapes.extents_m.min(axis=1) + SKIN_M, 0.4, 0.7))
    return yaws, np.column_stack([lengths, np.full(len(shapes), SHOULDERS_M)])


def _upright(centers: F64, yaws_rad: F64, sizes: F64) -> Boxes:
    c, s, zero, one = np.cos(yaws_rad), np.sin(yaws_rad), np.zeros(len(centers)), np.ones(len(centers))
    rotations = np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=1).reshape(-1, 3, 3)
    lifted = centers + np.column_stack([zero, zero, sizes[:, 2] / 2])
    return Boxes(SE3Batch(rotations, lifted), sizes)
