"""Detections of one kind as the kernels take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.detections import Detections
from autolabel.track.config import Gait, TrackConfig
from autolabel.world import LocalWorld
from calib.types import F64, I64, Bools

SUREST, LEAST_SURE = 1.0, 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """The detections that take part, in order of time.

    Attributes:
        indices: (N,) which they are among all.
        frames_s: (F,) every frame of the log.
        starts: (F + 1,) where the detections of each frame begin.
        times_s: (N,) of the frame of each.
        boxes: (N, 7) centre, length, width, height, yaw.
        eyes: (N, 2) where the LiDAR was, seen from above.
        sigmas_m: (N,) how far from the truth each lies.
        strong: (N,) which of them are sure.
        habits: how the kind moves, as the kernels take it.
    """

    indices: I64
    frames_s: F64
    starts: I64
    times_s: F64
    boxes: F64
    eyes: F64
    sigmas_m: F64
    strong: Bools
    habits: tuple[float, ...]

    @classmethod
    def of(
        cls, detections: Detections, frames_ns: I64, world: LocalWorld, gait: Gait, settings: TrackConfig
    ) -> Columns:
        """Those at frames, without doubles."""
        kept = np.nonzero(np.isin(detections.times_ns, frames_ns) & single(detections, settings.double_iou))[
            0
        ]
        times_ns, scores = detections.times_ns[kept], detections.scores[kept]
        starts = np.append(np.searchsorted(times_ns, frames_ns), len(kept)).astype(np.int64)
        return cls(
            indices=kept.astype(np.int64),
            frames_s=world.seconds(frames_ns),
            starts=starts,
            times_s=world.seconds(times_ns),
            boxes=np.ascontiguousarray(detections.boxes.upright()[kept]),
            eyes=world.lidar_at(times_ns)[:, :2],
            sigmas_m=gait.sigma_m / np.clip(scores, LEAST_SURE, SUREST),
            strong=np.asarray(scores >= settings.strong_score),
            habits=(
                float(gait.rolls),
                gait.acceleration,
                0.0,
                gait.slip,
                gait.fastest_mps,
                gait.turning,
                gait.sigma_rad,
            ),
        )

    def __len__(self) -> int:
        return len(self.indices)


def single(detections: Detections, most_iou: float) -> Bools:
    """(N,) which detections stay: in each instant the surest first, none that overlaps a kept one more."""
    from autolabel.track import _kernels

    keep = np.ones(len(detections), dtype=np.bool_)
    _kernels.drop_doubles(detections.times_ns, detections.boxes.upright(), most_iou, keep)
    return keep
