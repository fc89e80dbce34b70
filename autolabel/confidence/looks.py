"""What the scans show of every box, however it was made."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.scans import Scan, Scans
from calib.types import F64, I32, I64, kernel_view

EDGE_SHARE, EDGE_LEAST = 0.04, 1.5
OUT_M = 0.1
WIDTHS = {"eyes": (3,), "edges_m": (5,)}


@dataclass(frozen=True, eq=False, slots=True)
class Looks:
    """N boxes, each looked at in the scan of its frame; NaN where there is none.

    Attributes:
        points: (N,) in the box.
        shared: (N,) share of these that lie in other boxes too.
        before: (N,) share, of the rays that are aimed at it, of those that end before it.
        through: (N,) share, of the rays that reach it, of those seen to end behind it.
        away_m: (N,) from the LiDAR.
        eyes: (N, 3) the LiDAR's place in the frame of the box, in half sizes: a face is turned to it where
            this is larger than 1 on its side.
        edges_m: (N, 5) where the outermost points lie, outside of the front, back, left, right and upper
            face; negative inside.
        out: (N,) share of points beyond a face, of those at it, for the worst face.
        turn_rad: (N,) how far the near faces' points are turned against the box.
        leverage: (N,) how well that is told: root of the sum of squared distances along the faces, in m.
        rise_m: (N,) how much higher the rear is than the front.
        floor_m: (N,) height of the box above the ground.
    """

    points: F64
    shared: F64
    before: F64
    through: F64
    away_m: F64
    eyes: F64
    edges_m: F64
    out: F64
    turn_rad: F64
    leverage: F64
    rise_m: F64
    floor_m: F64

    @classmethod
    def none(cls, count: int) -> Looks:
        """Boxes that were not looked at."""
        shapes = {part.name: (count, *WIDTHS.get(part.name, ())) for part in fields(cls)}
        return cls(**{name: np.full(shape, np.nan) for name, shape in shapes.items()})

    @classmethod
    def of(cls, boxes: Columns, scans: Scans) -> Looks:
        """Goes through the scans once, frame by frame."""
        made = cls.none(len(boxes))
        order = np.argsort(boxes.times_ns, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(boxes.times_ns[order])) + 1):
            frame = int(np.searchsorted(scans.frames_ns, boxes.times_ns[rows[0]])) if len(rows) else -1
            if 0 <= frame < len(scans) and scans.frames_ns[frame] == boxes.times_ns[rows[0]]:
                scan = scans.at(frame)
                if scan is not None:
                    made._look(rows, boxes, scan)
        return made

    def take(self, rows: slice) -> Looks:
        """Those of some boxes."""
        return Looks(*(getattr(self, part.name)[rows] for part in fields(self)))

    def _look(self, rows: I64, boxes: Columns, scan: Scan) -> None:
        """Fills in the boxes of one frame."""
        poses, halves = boxes.local_from_box.take(rows), boxes.sizes_lwh_m[rows] / 2
        seen = Tallies.of(scan, poses.translations, poses.rotations, halves)
        points, shared, before, through = seen.counts.T.astype(np.float64)
        aside = (poses.translations - scan.origin)[:, None, :] @ poses.rotations
        self.points[rows], self.away_m[rows] = points, seen.aims[:, 2]
        self.shared[rows] = shared / np.maximum(points, 1)
        self.before[rows] = before / np.maximum(before + points + through, 1)
        self.through[rows] = through / np.maximum(points + through, 1)
        self.eyes[rows] = -aside[:, 0] / halves
        self.edges_m[rows] = edges(seen.faces, points)
        self.out[rows] = sticking_out(seen.faces)
        self.turn_rad[rows], self.leverage[rows] = turns(seen.lines)
        self.rise_m[rows] = seen.tops[:, 1] - seen.tops[:, 0]
        bottoms = poses.translations - halves[:, 2:] * poses.rotations[:, :, 2]
        self.floor_m[rows] = bottoms[:, 2] - scan.ground_at(bottoms)


@dataclass(frozen=True, eq=False, slots=True)
class Tallies:
    """What `_look_kernels.look` counts of K boxes in one scan."""

    counts: I64
    faces: I32
    lines: F64
    tops: F64
    aims: F64

    @classmethod
    def of(cls, scan: Scan, places: F64, rotations: F64, halves: F64) -> Tallies:
        """Counts."""
        from autolabel.confidence import _look_kernels as kernels

        count = len(places)
        made = cls(
            np.zeros((count, 4), dtype=np.int64),
            np.zeros((count, 5, kernels.BINS), dtype=np.int32),
            np.zeros((count, 2, 5)),
            np.full((count, 2), np.nan),
            np.empty((count, 3)),
        )
        at, turns, sides = (np.ascontiguousarray(part, np.float64) for part in (places, rotations, halves))
        points, starts = kernel_view(scan.points, 3, np.float32), kernel_view(scan.starts, 1, np.int32)[:, 0]
        kernels.look(
            points, starts, scan.origin, at, turns, sides,
            made.aims, made.counts, made.faces, made.lines, made.tops,
        )  # fmt: skip
        return made


def edges(faces: I32, points: F64) -> F64:
    """(K, 5) where the outermost points lie outside of each face, of (K, 5, B) counts by distance.

    A few points may lie further out. Where none lie near a face it is as far inside as is looked at.
    """
    from autolabel.confidence._look_kernels import BIN_M, BINS, INSIDE_M

    least = np.maximum(EDGE_SHARE * points, EDGE_LEAST)[:, None, None]
    beyond = np.cumsum(faces[:, :, ::-1], axis=2)[:, :, ::-1]
    outermost = np.where(beyond >= least, np.arange(BINS), -1).max(axis=2)
    return np.asarray((outermost + 0.5) * BIN_M - INSIDE_M)


def sticking_out(faces: I32) -> F64:
    """(K,) share of points beyond a face, of all at it, for the worst face."""
    from autolabel.confidence._look_kernels import BIN_M, INSIDE_M

    first = round((INSIDE_M + OUT_M) / BIN_M)
    beyond, at = faces[:, :, first:].sum(axis=2), faces[:, :, first - 8 :].sum(axis=2)
    return np.asarray((beyond / np.maximum(at, 4)).max(axis=1))


def turns(lines: F64) -> tuple[F64, F64]:
    """(K,) how far the lines along both near faces are turned, and (K,) how well that is told."""
    count = np.maximum(lines[..., 0], 1)
    spread = lines[..., 3] - lines[..., 1] ** 2 / count
    tilt = lines[..., 4] - lines[..., 1] * lines[..., 2] / count
    # The end's line leans the other way than the side's.
    total = spread.sum(axis=1)
    turn = np.divide(tilt[:, 1] - tilt[:, 0], total, out=np.full(len(total), np.nan), where=total > 1e-6)
    return turn, np.sqrt(np.maximum(total, 0))
