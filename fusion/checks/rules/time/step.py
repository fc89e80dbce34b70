"""T15: some boxes that stand aside from the rest of their track. T16: that point elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64, I64, Bools
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.facts.motion import SEAM_ROWS
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import aside, boxes_found, degrees, frames_said
from fusion.checks.rule import Limits, rule

# As many boxes stand aside together, at most; beyond, only the seam is named.
LONGEST = 20


@rule(
    "T15",
    "boxes step aside",
    Severity.WARNING,
    chance=0.5,
    by_kind={Kind.PEDESTRIAN: {"least_m": 0.3}, Kind.ANIMAL: {"least_m": 0.5}},
    least_m=0.18,
    times=6.0,
)
def step_aside(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The boxes from one frame on do not go on where those before it lead; mostly some go back later."""
    motion = facts.motion
    far_m = np.linalg.norm(motion.step_m, axis=1)
    allowed_m = np.maximum(limits.of_boxes("least_m", facts), limits["times"] * motion.step_noise[:, 0])
    excess = np.where(facts.beside_leaps, 0.0, far_m / allowed_m)
    for rows in _blocks(facts, _peaks(excess, facts.owners), motion.step_m):
        words = f"{aside(motion.step_m[rows[0]])} the boxes before {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=far_m[rows[0]], limit=allowed_m[rows[0]])


@rule(
    "T16",
    "headings step aside",
    Severity.WARNING,
    chance=0.6,
    by_kind={
        Kind.PEDESTRIAN: {"least_deg": 70.0},
        Kind.ANIMAL: {"least_deg": 70.0},
        Kind.CONE: {"least_deg": 1e9},
    },
    least_deg=4.0,
    times=5.0,
)
def turn_aside(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The boxes from one frame on point elsewhere than those before it lead."""
    motion = facts.motion
    turn_rad = np.abs(motion.step_rad)
    least_rad = np.radians(limits.of_boxes("least_deg", facts))
    allowed_rad = np.maximum(least_rad, limits["times"] * motion.step_noise[:, 1])
    excess = np.where(facts.beside_leaps, 0.0, turn_rad / allowed_rad)
    for rows in _blocks(facts, _peaks(excess, facts.owners), motion.step_rad[:, None]):
        words = f"headings step by {degrees(turn_rad[rows[0]])} {frames_said(rows)}"
        yield boxes_found(
            facts, rows, words, value=np.degrees(turn_rad[rows[0]]), limit=np.degrees(allowed_rad[rows[0]])
        )


def _peaks(excess: F64, owners: I64) -> Bools:
    """(N,) where it is above 1 and nowhere near in the same track further above: a step has echoes."""
    known = np.nan_to_num(excess)
    peaks = known > 1
    for away in range(1, SEAM_ROWS):
        same = owners[away:] == owners[:-away]
        peaks[:-away] &= ~(same & (known[away:] > known[:-away]))
        peaks[away:] &= ~(same & (known[:-away] >= known[away:]))
    return np.asarray(peaks)


def _blocks(facts: Facts, peaks: Bools, steps: F64) -> Iterator[I64]:
    """The rows from a step to the one that takes it back; the two rows of a seam that nothing takes back."""
    at = np.flatnonzero(peaks)
    k = 0
    while k < len(at):
        begin = at[k]
        if k + 1 < len(at) and _taken_back(facts, begin, at[k + 1], steps):
            yield np.arange(begin, at[k + 1])
            k += 2
        else:
            yield np.array([begin, begin - 1])
            k += 1


def _taken_back(facts: Facts, begin: int, end: int, steps: F64) -> bool:
    if facts.owners[begin] != facts.owners[end] or end - begin > LONGEST:
        return False
    return float(steps[begin] @ steps[end]) < 0
