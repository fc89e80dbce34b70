"""Where a track is at any instants, not only at the frames it was labelled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.quaternion import matrices_from_quaternions
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.beam import beam_offset_ns
from fusion.boxes import Boxes
from fusion.labels import Track
from fusion.log import DriveLog

LONGEST_GAP_NS = 600_000_000
LONGEST_OVERHANG_NS = 200_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """The way of one track through the world.

    Each annotation says where the object was when the beam passed it (see `fusion.beam`). Between two of
    those instants at most 0.6 s apart it moves evenly in the world; up to 0.2 s before the first and after
    the last it goes on as it did. Elsewhere its place is not known.

    Attributes:
        times_ns: (N,) int64 when it was seen, rising.
        world_from_box: N poses.
        sizes_lwh_m: (N, 3).
    """

    times_ns: I64
    world_from_box: SE3Batch
    sizes_lwh_m: F64

    @classmethod
    def of(cls, log: DriveLog, track: Track) -> Course:
        """Of a track whose annotations the log's trajectory covers; others are left out."""
        frames_ns = np.fromiter(track.annotations, dtype=np.int64, count=len(track.annotations))
        boxes = Boxes.stack(annotation.box for annotation in track.annotations.values())
        times_ns = frames_ns + beam_offset_ns(log, boxes.dst_from_box.translations)
        covered = (frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)
        covered &= np.append(True, np.diff(np.maximum.accumulate(times_ns)) > 0)
        world_from_ego = log.trajectory.at_many(frames_ns[covered])
        ego_from_box = boxes.dst_from_box.take(np.flatnonzero(covered))
        return cls(times_ns[covered], world_from_ego @ ego_from_box, boxes.sizes_lwh_m[covered])

    def at(self, times_ns: ArrayLike) -> tuple[Bools, Boxes, F64]:
        """At which of (M,) instants it is known; K boxes in the world and (K, 3) velocities in m/s there."""
        wanted_ns = np.asarray(times_ns, dtype=np.int64).reshape(-1)
        if len(self.times_ns) == 0:
            return np.zeros(len(wanted_ns), np.bool_), Boxes.stack([]), np.empty((0, 3))
        late = np.clip(np.searchsorted(self.times_ns, wanted_ns), 1, max(len(self.times_ns) - 1, 1))
        late = np.minimum(late, len(self.times_ns) - 1)
        early = np.maximum(late - 1, 0)
        gaps_ns = self.times_ns[late] - self.times_ns[early]
        beyond_ns = np.maximum(np.maximum(self.times_ns[0] - wanted_ns, wanted_ns - self.times_ns[-1]), 0)
        known = (beyond_ns <= LONGEST_OVERHANG_NS) & ((beyond_ns > 0) | (gaps_ns <= LONGEST_GAP_NS))
        fraction = (wanted_ns - self.times_ns[early]) / np.maximum(gaps_ns, 1)
        alone = (beyond_ns > 0) & (gaps_ns > LONGEST_GAP_NS)
        fraction = np.where(alone, np.round(np.clip(fraction, 0, 1)), fraction)
        boxes, ways_m = self._between(early[known], late[known], fraction[known])
        still = (alone | (gaps_ns == 0))[known, None]
        velocities = np.where(still, 0.0, ways_m * (1e9 / np.maximum(gaps_ns[known], 1))[:, None])
        return known, boxes, velocities

    def _between(self, early: I64, late: I64, fraction: F64) -> tuple[Boxes, F64]:
        """Boxes on the way from annotations to others, and those ways."""
        places = self.world_from_box.translations
        ways_m = places[late] - places[early]
        yaws_rad = self.world_from_box.yaws_rad
        turns_rad = (yaws_rad[late] - yaws_rad[early] + np.pi) % (2 * np.pi) - np.pi
        nearer = np.where(fraction < 0.5, early, late)
        rest = np.where(fraction < 0.5, fraction, fraction - 1)
        halves_rad = turns_rad * rest / 2
        quaternions = np.zeros((len(halves_rad), 4))
        quaternions[:, 0], quaternions[:, 3] = np.cos(halves_rad), np.sin(halves_rad)
        rotations = matrices_from_quaternions(quaternions) @ self.world_from_box.rotations[nearer]
        world_from_box = SE3Batch(rotations, places[nearer] + rest[:, None] * ways_m)
        return Boxes(world_from_box, self.sizes_lwh_m[nearer]), ways_m
