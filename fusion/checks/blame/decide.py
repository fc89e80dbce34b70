"""Which error of a camera explains what is seen: none, its calibration, its clock, or both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from calib.types import F64, Bools
from fusion.checks.blame.model import EXPECTED_COUNTS

# Smaller errors are not worth naming: outlines of things are not known well enough to be sure of them.
LEAST_TURN_RAD, LEAST_TIME_S = float(np.radians(0.18)), 0.012
TURN_DOUBT_RAD, TIME_DOUBT_S = float(np.radians(0.025)), 0.003
# How often a number that is zero is taken for one that is not, on either side.
CHANCE = 5e-4
FEWEST_TRACKS = 7
# How much chi-square a turn may leave to the clock, a clock to the turn; from which difference one of both
# is preferred, three numbers explaining more by chance than one.
LEFT_BY_TURN, LEFT_BY_TIME, BETTER, BY_CHANCE = 9.0, 14.0, 6.0, 2.0
# Pitch, yaw, roll and seconds that a camera without a fault must be known to be free of.
WORST = np.array([*np.radians([0.5, 0.5, 1.0]), 0.04])


class Culprit(StrEnum):
    """What is wrong with a camera."""

    NONE = "none"
    CALIBRATION = "calibration"
    CLOCK = "clock"
    BOTH = "calibration and clock"
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False, slots=True)
class Decision:
    """What is wrong with a camera, and how much.

    Attributes:
        culprit: what is named.
        values: (4,) turn about x, y, z in radians and seconds, of what is named; of both otherwise.
        sigmas: (4,) their standard deviations.
        limits: (4,) how large an error of each kind would have been named.
        alike: whether a turn and a wrong clock would each explain it.
    """

    culprit: Culprit
    values: F64
    sigmas: F64
    limits: F64
    alike: bool = False


def decide(values: F64, covariance: F64, tracks: int) -> Decision:
    """Judges a camera by the simplest cause that leaves nothing plain unexplained.

    Args:
        values: (4,) turn in radians and seconds, told together.
        covariance: (4, 4) of these.
        tracks: how many objects they come from.
    """
    doubts = np.repeat([TURN_DOUBT_RAD, TIME_DOUBT_S], [3, 1])
    spread = covariance + np.diag(doubts**2)
    sigmas = np.sqrt(np.diag(spread))
    least = np.repeat([LEAST_TURN_RAD, LEAST_TIME_S], [3, 1])
    level = _level(tracks)
    if tracks < FEWEST_TRACKS:
        return Decision(Culprit.UNDECIDED, values, sigmas, np.full(4, np.inf))
    turn, turn_spread = _given(values, spread, slice(0, 3), slice(3, 4))
    time, time_spread = _given(values, spread, slice(3, 4), slice(0, 3))
    alone = np.concatenate([turn, time])
    alone_sigmas = np.sqrt(np.concatenate([np.diag(turn_spread), np.diag(time_spread)]))
    limits = np.maximum(level * alone_sigmas, least)
    stands_out = np.abs(alone) > limits
    plain = np.abs(values) > np.maximum(level * sigmas, least)
    scale = (_level(10**6) / level) ** 2
    # Unexplained by a turn alone is what speaks for the clock given the turn, and the other way round.
    left_by_turn = scale * float(values[3] ** 2 / spread[3, 3])
    left_by_time = scale * float(values[:3] @ np.linalg.solve(spread[:3, :3], values[:3]))
    culprit = _culprit(stands_out, plain, left_by_turn, left_by_time)
    alike = culprit is Culprit.UNDECIDED
    if culprit is Culprit.NONE and (limits > WORST).any():
        culprit = Culprit.UNDECIDED
    if culprit is Culprit.CALIBRATION:
        return Decision(culprit, np.append(turn, 0.0), np.append(alone_sigmas[:3], sigmas[3]), limits)
    if culprit is Culprit.CLOCK:
        return Decision(culprit, np.append(np.zeros(3), time), np.append(sigmas[:3], alone_sigmas[3]), limits)
    return Decision(culprit, values, sigmas, limits, alike)


def _culprit(stands_out: Bools, plain: Bools, left_by_turn: float, left_by_time: float) -> Culprit:
    by_turn = stands_out[:3].any() and not plain[3] and left_by_turn <= LEFT_BY_TURN
    by_time = stands_out[3] and not plain[:3].any() and left_by_time <= LEFT_BY_TIME
    if by_turn and by_time:
        lead = left_by_time - BY_CHANCE - left_by_turn
        if abs(lead) < BETTER:
            return Culprit.UNDECIDED
        return Culprit.CALIBRATION if lead > 0 else Culprit.CLOCK
    if by_turn or by_time:
        return Culprit.CALIBRATION if by_turn else Culprit.CLOCK
    if plain[:3].any() and plain[3]:
        return Culprit.BOTH
    return Culprit.UNDECIDED if stands_out.any() or plain.any() else Culprit.NONE


def _given(values: F64, covariance: F64, these: slice, zero: slice) -> tuple[F64, F64]:
    """Some numbers and their covariance where the others are known to be zero."""
    gain = covariance[these, zero] @ np.linalg.inv(covariance[zero, zero])
    return values[these] - gain @ values[zero], covariance[these, these] - gain @ covariance[zero, these]


def _level(tracks: int) -> float:
    """How many standard deviations are plain, where these are told from so many objects (Student's t)."""
    from scipy.special import stdtrit

    return float(stdtrit(tracks - 1 + EXPECTED_COUNTS, 1 - CHANCE))
