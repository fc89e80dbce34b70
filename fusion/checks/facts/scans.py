"""What sweeps say of boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calib.types import F32, F64, I64, Bools, kernel_view
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.ground import Ground
from fusion.log import DriveLog
from fusion.progress import Progress

AROUND_M, OFF_GROUND_M = 0.3, 0.15
BINS = 720
BESIDE_M, DEEP_M = 0.8, 2.0


@dataclass(frozen=True, eq=False, slots=True)
class Scanned:
    """Of each box, in the sweep of its frame.

    Attributes:
        there: (N,) whether there was a sweep.
        inside: (N,) points in it.
        standing: (N,) those that do not lie on the ground.
        before: (N,) beams towards it that ended before they came to it.
        through: (N,) beams that went through the middle of it.
        around: (N, 5) points beside it that lie in no box and not on the ground, within 0.3 m of its
            front, back, left and right face and above its top; not at its foot.
        reach_m: (N, 6) how far its standing points stay within its front, left, top, back, right and
            bottom face; not a number where it has none.
        ground_m: (N,) height of its bottom above the points on the ground under and beside it; not a
            number where there are hardly any.
    """

    there: Bools
    inside: I64
    standing: I64
    before: I64
    through: I64
    around: I64
    reach_m: F64
    ground_m: F64

    @classmethod
    def of(
        cls, log: DriveLog, by_frame: Mapping[int, I64], boxes: Boxes, progress: Progress | None = None
    ) -> Scanned:
        """Reads the sweep of each frame that holds boxes, once."""
        count = len(boxes)
        counts = np.zeros((count, 9), dtype=np.int64)
        reach_m, ground_m = np.full((count, 6), np.nan), np.full(count, np.nan)
        there = np.zeros(count, dtype=np.bool_)
        for number, (frame, rows) in enumerate(by_frame.items()):
            if progress:
                progress("sweeps", number, len(by_frame))
            ref = log.sweep_at(int(log.timestamps_ns[frame]))
            if ref is None:
                continue
            points = points_in_ego(log, read_deskewed(log, ref))
            origin = log.rig.lidars[ref.lidar].ego_from_sensor.translation
            there[rows] = True
            counts[rows], reach_m[rows], ground_m[rows] = look(points, origin, boxes.take(rows))
        if progress:
            progress("sweeps", len(by_frame), len(by_frame))
        inside, standing, before, through = counts[:, :4].T
        return cls(there, inside, standing, before, through, counts[:, 4:], reach_m, ground_m)


def look(points_ego: F32, origin_ego: F64, boxes: Boxes) -> tuple[I64, F64, F64]:
    """Columns of `Scanned` of some boxes in one sweep: counts (B, 9), reaches (B, 6), heights (B,)."""
    from fusion.checks.facts import _kernels

    counts, reach_m = np.zeros((len(boxes), 9), dtype=np.int64), np.full((len(boxes), 6), np.nan)
    ground_m = np.full(len(boxes), np.nan)
    _, above_m = Ground.under(points_ego)
    rotations = np.array(boxes.dst_from_box.rotations)
    centers, halves = np.array(boxes.dst_from_box.translations), np.array(boxes.sizes_lwh_m) / 2
    starts, members = _kernels.boxes_by_azimuth(centers, halves + BESIDE_M, origin_ego, BINS)
    _kernels.look(
        kernel_view(points_ego, 3, np.float32),
        kernel_view(above_m, 1, np.float64)[:, 0],
        np.array(origin_ego),
        rotations,
        centers,
        halves,
        starts,
        members,
        (AROUND_M, OFF_GROUND_M, BESIDE_M, DEEP_M),
        counts,
        reach_m,
        ground_m,
    )
    return counts, reach_m, ground_m
