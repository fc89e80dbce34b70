"""What sweeps say of boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from calib.types import F32, F64, I64, Bools
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.fan import by_direction
from fusion.ground import Ground
from fusion.log import DriveLog
from fusion.progress import Progress

AROUND_M, OFF_GROUND_M = 0.3, 0.15
BESIDE_M, DEEP_M = 0.8, 2.0
# Shown all points of a frame: LiDAR, instant, (N, 3) in ego, (N,) height of each above the ground.
Watcher = Callable[[str, int, F32, F64], None]


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
        return Looks(log, by_frame, boxes).rest(progress)


class Looks:
    """What sweeps say of boxes, gathered sweep by sweep, in whatever order others read them.

    `grounds` are those of frames, by their instants, in which somebody has looked for it already.
    """

    def __init__(
        self,
        log: DriveLog,
        by_frame: Mapping[int, I64],
        boxes: Boxes,
        grounds: Mapping[int, Ground] | None = None,
    ) -> None:
        count = len(boxes)
        self._log, self._boxes, self._grounds = log, boxes, grounds or {}
        self._waiting = {int(log.timestamps_ns[frame]): rows for frame, rows in by_frame.items()}
        self._counts = np.zeros((count, 9), dtype=np.int64)
        self._reach_m, self._ground_m = np.full((count, 6), np.nan), np.full(count, np.nan)
        self._there = np.zeros(count, dtype=np.bool_)

    def see(self, lidar: str, frame_ns: int, points_ego: F32, above_m: F64) -> None:
        """The points of one frame, (N, 3) in ego, and (N,) how high above the ground each is.

        A frame that holds no boxes, or was seen before, changes nothing.
        """
        rows = self._waiting.pop(frame_ns, None)
        if rows is None:
            return
        origin = self._log.rig.lidars[lidar].ego_from_sensor.translation
        self._there[rows] = True
        found = look(points_ego, above_m, origin, self._boxes.take(rows))
        self._counts[rows], self._reach_m[rows], self._ground_m[rows] = found

    def rest(self, progress: Progress | None = None) -> Scanned:
        """Reads what nobody has shown, and sums up."""
        missing = sorted(self._waiting)
        for number, frame_ns in enumerate(missing):
            if progress:
                progress("sweeps", number, len(missing))
            ref = self._log.sweep_at(frame_ns)
            if ref is not None and self._log.trajectory.covers(frame_ns):
                points = points_in_ego(self._log, read_deskewed(self._log, ref))
                ground = self._grounds.get(frame_ns)
                above_m = Ground.under(points)[1] if ground is None else ground.heights_above(points)
                self.see(ref.lidar, frame_ns, points, above_m)
        if progress and missing:
            progress("sweeps", len(missing), len(missing))
        inside, standing, before, through = self._counts[:, :4].T
        around = self._counts[:, 4:]
        return Scanned(self._there, inside, standing, before, through, around, self._reach_m, self._ground_m)


def look(points_ego: F32, above_m: F64, origin_ego: F64, boxes: Boxes) -> tuple[I64, F64, F64]:
    """Columns of `Scanned` of some boxes in one sweep: counts (B, 9), reaches (B, 6), heights (B,)."""
    from fusion.checks.facts import _scan_kernels

    counts, reach_m = np.zeros((len(boxes), 9), dtype=np.int64), np.full((len(boxes), 6), np.nan)
    ground_m = np.full(len(boxes), np.nan)
    rotations = np.array(boxes.dst_from_box.rotations)
    centers, halves = np.array(boxes.dst_from_box.translations), np.array(boxes.sizes_lwh_m) / 2
    points, heights_m, starts = by_direction(points_ego, above_m, origin_ego)
    _scan_kernels.look(
        points,
        heights_m,
        np.array(origin_ego),
        starts,
        rotations,
        centers,
        halves,
        (AROUND_M, OFF_GROUND_M, BESIDE_M, DEEP_M),
        counts,
        reach_m,
        ground_m,
    )
    return counts, reach_m, ground_m
