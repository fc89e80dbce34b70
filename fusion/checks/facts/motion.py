"""How boxes follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calib.types import F64, I64, Bools
from fusion.boxes import Boxes

WINDOW_S = 0.55
NOISE_M, NOISE_RAD = 0.08, 0.05
HARDEST_MPS2 = 4.0
SEAM_ROWS, SEAM_S = 4, 1.0
CALM, CALM_TIMES = 0.3, 1.4


@dataclass(frozen=True, eq=False, slots=True)
class Motion:
    """Of each box: what its neighbours in the same track within half a second say of it.

    Attributes:
        speed_mps: (N,) over the ground.
        course_rad: (N,) direction of that, in the world.
        velocity_mps: (N, 2).
        acceleration_mps2: (N,) along the course.
        turn_rps: (N,) rate of its heading.
        apart_m: (N, 2) from where the others alone put it, along its heading and to its left.
        above_m: (N,) and how far above that.
        turned_rad: (N,) heading against the heading that the others give it, in -pi..pi.
        spread_m: (N,) how far the others may be wrong about it, for they are noisy, few or far apart.
        others: (N,) how many there are.
        step_m: (N, 3) from where the boxes before it put it to where it and the boxes after it do: along its
            heading, to its left, up; not a number where there are too few on either side.
        step_rad: (N,) the same of its heading.
        step_noise: (N, 2) how far boxes of the track lie off such lines, in m and rad.
    """

    speed_mps: F64
    course_rad: F64
    velocity_mps: F64
    acceleration_mps2: F64
    turn_rps: F64
    apart_m: F64
    above_m: F64
    turned_rad: F64
    spread_m: F64
    others: I64
    step_m: F64
    step_rad: F64
    step_noise: F64

    @classmethod
    def of(cls, starts: I64, seen_ns: I64, world: Boxes, known: Bools) -> Motion:
        """Of tracks one after the other: a straight or parabolic way is fitted robustly about known boxes."""
        from fusion.checks.facts import _kernels, _seam_kernels

        count = len(seen_ns)
        times_s = np.zeros(count) if count == 0 else (seen_ns - seen_ns.min()) / 1e9
        yaws = np.array(world.dst_from_box.yaws_rad, dtype=np.float64)
        places = np.array(world.dst_from_box.translations, dtype=np.float64)
        columns, others = np.full((count, 9), np.nan), np.zeros(count, dtype=np.int64)
        limits = (WINDOW_S, NOISE_M, NOISE_RAD, HARDEST_MPS2)
        _kernels.follow(starts, times_s, places, yaws, known, limits, columns, others)
        steps, noise = np.full((count, 4), np.nan), np.full((count, 2), np.nan)
        _seam_kernels.seams(starts, times_s, places, yaws, known, SEAM_ROWS, SEAM_S, steps, noise)
        vx, vy, speeding, turning, x, y, z, turned, spread = columns.T
        return cls(
            speed_mps=np.hypot(vx, vy),
            course_rad=np.arctan2(vy, vx),
            velocity_mps=np.column_stack([vx, vy]),
            acceleration_mps2=speeding,
            turn_rps=turning,
            apart_m=np.column_stack([x, y]),
            above_m=z,
            turned_rad=turned,
            spread_m=spread,
            others=others,
            step_m=steps[:, :3],
            step_rad=steps[:, 3],
            step_noise=_usual(starts, noise),
        )


def _usual(starts: I64, noise: F64) -> F64:
    """(N, 2) of each track; told by its calmer part, for errors in a short track make half of it restless."""
    usual = np.full(noise.shape, np.nan)
    for begin, end in pairwise(starts.tolist()):
        if np.isfinite(noise[begin:end]).any():
            usual[begin:end] = CALM_TIMES * np.nanquantile(noise[begin:end], CALM, axis=0)
    return usual
