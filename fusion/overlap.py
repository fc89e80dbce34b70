"""How boxes lie to points and to each other."""

from __future__ import annotations

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F64, I32, I64, Bools, Floats, kernel_view
from fusion.boxes import Box3D, Boxes

# Faces belong to a box; this much absorbs the rounding of moving boxes and points between frames.
FACE_SLACK_M = 1e-9
CELLS = 64


def points_in_box(points: Floats, box: Box3D) -> Bools:
    """Which of (N, 3) points lie in a box, faces included."""
    from fusion import _kernels

    cloud = kernel_view(points, 3, np.float64)
    inside = np.empty(len(cloud), dtype=np.bool_)
    half = box.size_lwh_m / 2 + FACE_SLACK_M
    _kernels.points_in_box(cloud, box.ego_from_box.rotation, box.ego_from_box.translation, half, inside)
    return inside


def count_points_in_boxes(points: Floats, boxes: Boxes) -> I64:
    """(B,) how many of (N, 3) points lie in each box, faces included."""
    return _Search(points, boxes).counts()


def points_in_boxes(points: Floats, boxes: Boxes) -> list[I64]:
    """For each box the indices of the (N, 3) points in it, rising, faces included."""
    return _Search(points, boxes).indices()


def iou_bev(a: Boxes, b: Boxes) -> F64:
    """(A, B) intersection over union of the boxes' exact areas seen from above; tilt is left out."""
    return _matrix(a, b, solid=False)


def iou_3d(a: Boxes, b: Boxes) -> F64:
    """(A, B) intersection over union of volumes: shared area times shared height; tilt is left out."""
    return _matrix(a, b, solid=True)


def iou_3d_paired(a: Boxes, b: Boxes) -> F64:
    """(N,) intersection over union of the volumes of each box and its partner; tilt is left out.

    Raises:
        CrosslabelError: the two sets differ in length.
    """
    from fusion import _kernels

    if len(a) != len(b):
        raise CrosslabelError(f"boxes in pairs must be as many on both sides, not {len(a)} and {len(b)}")
    iou = np.empty(len(a))
    _kernels.iou_paired(a.upright(), b.upright(), iou)
    return iou


def giou_bev(a: Boxes, b: Boxes) -> F64:
    """(A, B) generalised IoU seen from above, from -1 (far apart) to 1 (Rezatofighi et al., 2019)."""
    from fusion import _kernels

    giou = np.empty((len(a), len(b)))
    _kernels.giou_matrix(a.upright(), b.upright(), giou)
    return giou


def _matrix(a: Boxes, b: Boxes, solid: bool) -> F64:
    from fusion import _kernels

    iou = np.empty((len(a), len(b)))
    _kernels.iou_matrix(a.upright(), b.upright(), solid, iou)
    return iou


class _Search:
    """Points meet only the boxes that reach into their cell of a grid over all boxes."""

    def __init__(self, points: Floats, boxes: Boxes) -> None:
        from fusion import _kernels

        kept = np.float32 if points.dtype == np.float32 else np.float64
        self.cloud, self.sizes = kernel_view(points, 3, kept), boxes.sizes_lwh_m
        if len(boxes) == 0:
            return
        rotations, centers = boxes.dst_from_box.rotations, boxes.dst_from_box.translations
        halves = boxes.sizes_lwh_m / 2 + FACE_SLACK_M
        reach = np.einsum("bij,bj->bi", np.abs(rotations), halves)[:, :2] + FACE_SLACK_M
        lower, upper = centers[:, :2] - reach, centers[:, :2] + reach
        corner = lower.min(axis=0)
        per_m = CELLS / ((upper.max(axis=0) - corner) * (1 + 1e-9))
        first, last = ((lower - corner) * per_m).astype(np.int64), ((upper - corner) * per_m).astype(np.int64)
        starts, members = _kernels.boxes_by_cell(first, last, CELLS)
        self.grid = (rotations, centers, halves, corner, per_m, starts, members, CELLS)

    def counts(self) -> I64:
        return self._count()[0]

    def indices(self) -> list[I64]:
        from fusion import _kernels

        counts, hit = self._count()
        if len(counts) == 0:
            return []
        ends = np.cumsum(counts)
        out = np.empty(int(ends[-1]), dtype=np.int64)
        _kernels.list_in_boxes(self.cloud, hit, *self.grid, ends - counts, out)
        return np.split(out, ends[:-1])

    def _count(self) -> tuple[I64, I32]:
        from fusion import _kernels

        counts, hit = np.zeros(len(self.sizes), dtype=np.int64), np.empty(len(self.cloud), dtype=np.int32)
        if len(counts) == 0:
            return counts, hit[:0]
        return counts, hit[: _kernels.count_in_boxes(self.cloud, *self.grid, counts, hit)]
