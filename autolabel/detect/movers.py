"""What moves, sweep by sweep, and how fast: its nearest likeness a few sweeps earlier and later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.detect.background import Background
from autolabel.detect.candidates import moving
from autolabel.detect.config import DetectConfig
from autolabel.detect.shapes import Shapes
from autolabel.scans import Scans, Stretch
from calib.types import F64, I64

SMALL_M = 1.4
FASTEST_MPS = (4.0, 25.0)
KNOWN_MPS = 2.0
NOISE_M = 0.35
STEPS = 6
GOOD_VIEW = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Movers:
    """The moving things of a log, frame by frame.

    Attributes:
        shapes: of all frames, with their motion, in order of the frames.
        starts: (F + 1,) where each frame begins.
    """

    shapes: Shapes
    starts: I64

    @classmethod
    def of(cls, scans: Scans | Stretch, background: Background, config: DetectConfig) -> Movers:
        """Of all frames of a log."""
        parts, counts = [Shapes.none()], np.zeros(len(scans), dtype=np.int64)
        for scan in scans:
            parts.append(moving(scan, background, config))
            counts[scan.frame] = len(parts[-1])
        starts = np.concatenate([[0], np.cumsum(counts)])
        return cls(_followed(Shapes.joined(parts), starts, scans.world.seconds(scans.frames_ns)), starts)

    def of_frame(self, frame: int) -> I64:
        """Which of the shapes are those of a frame."""
        return np.arange(self.starts[frame], self.starts[frame + 1])


def _followed(shapes: Shapes, starts: I64, seconds: F64) -> Shapes:
    """The shapes with how they move, and with what is known of them from other frames."""
    from autolabel.detect import _follow_kernels

    small = shapes.extents_m.max(axis=1, initial=0.0) < SMALL_M
    way, spans = np.zeros((len(shapes), 2)), np.zeros(len(shapes))
    next_ones, chains = np.empty((len(shapes), 2), dtype=np.int64), np.empty(len(shapes), dtype=np.int64)
    centers, tops = np.ascontiguousarray(shapes.centers), np.ascontiguousarray(shapes.tops_m)
    fastest = np.where(small, *FASTEST_MPS)
    _follow_kernels.follow(
        centers, tops, fastest, starts, seconds, STEPS, KNOWN_MPS, NOISE_M, way, spans, next_ones
    )
    moved_m = np.where(spans[:, None] > 0, way / np.maximum(spans, 1e-9)[:, None], np.nan)
    count = _follow_kernels.chain(next_ones, chains)
    times_s = np.repeat(seconds, np.diff(starts))
    first, last = _ends(chains, count)
    lived_s = (times_s[last] - times_s[first])[chains]
    gone_m = np.linalg.norm(shapes.centers[last, :2] - shapes.centers[first, :2], axis=1)[chains]
    return shapes.with_motion(moved_m, lived_s, gone_m, _good_view(shapes, chains, count))


def _ends(chains: I64, count: int) -> tuple[I64, I64]:
    """(K,) the first and (K,) the last shape of each chain."""
    first, last = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    every = np.arange(len(chains))
    first[chains[::-1]] = every[::-1]
    last[chains] = every
    return first, last


def _good_view(shapes: Shapes, chains: I64, count: int) -> F64:
    """(C,) how long each thing is where its chain shows it well."""
    long_m = np.asarray(shapes.extents_m.max(axis=1, initial=0.0))
    if count == 0:
        return long_m
    order = np.lexsort((long_m, chains))
    sizes = np.bincount(chains, minlength=count)
    begin = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    best = order[(begin + GOOD_VIEW * (sizes - 1)).round().astype(np.int64)]
    return np.asarray(long_m[best][chains])
