"""T11: a box away from where those before and after it put it; two tracks that change places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64, I64
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import aside, boxes_found, frames_said
from fusion.checks.rule import Limits, rule

FREE = {"least_m": 0.5}


@rule(
    "T11",
    "box leaps",
    Severity.WARNING,
    chance=0.7,
    by_kind={Kind.PEDESTRIAN: {"least_m": 0.35}, Kind.ANIMAL: FREE},
    least_m=0.3,
    times=1.5,
    least_others=2,
)
def leap(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It is further off than its neighbours are noisy and than hard braking explains."""
    motion = facts.motion
    shifts_m = np.column_stack([motion.apart_m, motion.above_m])
    off_m = np.linalg.norm(shifts_m, axis=1)
    allowed_m = np.maximum(limits.of_boxes("least_m", facts), limits["times"] * motion.spread_m)
    leaps = (off_m > allowed_m) & (motion.others >= limits["least_others"]) & ~facts.beside_leaps
    for rows in facts.episodes(leaps):
        worst = rows[np.argmax(off_m[rows] / allowed_m[rows])]
        words = f"{aside(shifts_m[worst])} its way {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=off_m[worst], limit=allowed_m[worst])


@rule("T14", "two tracks swapped", Severity.MANDATORY, chance=0.95, distance_m=2.0, step_s=0.6)
def swapped(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """From one frame to the next, two tracks fit better if they change their ids."""
    steps = _steps(facts, limits["step_s"])
    places, told = facts.world.dst_from_box.translations[:, :2], np.full((len(facts), 2), np.nan)
    told[steps] = _told(facts, steps)
    jumped_m = np.full(len(facts), np.nan)
    jumped_m[steps] = np.linalg.norm(told[steps] - places[steps + 1], axis=1)
    by_frames: dict[tuple[int, int], list[int]] = {}
    for row in steps[jumped_m[steps] > limits["distance_m"]].tolist():
        by_frames.setdefault((int(facts.frames[row]), int(facts.frames[row + 1])), []).append(row)
    for jumps in by_frames.values():
        for n, a in enumerate(jumps):
            for b in jumps[n + 1 :]:
                crossed = np.linalg.norm(told[a] - places[b + 1]) + np.linalg.norm(told[b] - places[a + 1])
                straight = float(jumped_m[a] + jumped_m[b])
                if crossed < min(0.3 * straight, 2 * limits["distance_m"]):
                    other = int(facts.owners[b])
                    words = f"changes places with {facts.tracks[other].category} {facts.tracks[other].id}"
                    rows_found = np.array([a, a + 1])
                    yield boxes_found(
                        facts, rows_found, words, value=straight, limit=limits["distance_m"], other=other
                    )


def _steps(facts: Facts, step_s: float) -> I64:
    """The rows that another of the same track follows soon."""
    near = (np.diff(facts.owners) == 0) & (np.diff(facts.times_ns) <= step_s * 1e9)
    both = facts.covered[:-1] & facts.covered[1:] & (facts.frames[:-1] >= 0) & (facts.frames[1:] >= 0)
    return np.flatnonzero(near & both)


def _told(facts: Facts, rows: I64) -> F64:
    """(R, 2) where tracks go on in the row after each of some, by the rows before."""
    begins = np.maximum(facts.starts[facts.owners[rows]], rows - 3)
    # Of each row the next one, itself included, at which the car's pose is known: those of `rows` are such.
    next_known = np.minimum.accumulate(np.where(facts.covered, np.arange(len(facts)), len(facts))[::-1])[::-1]
    begins = next_known[begins]
    places = facts.world.dst_from_box.translations[:, :2]
    spans_ns = np.where(begins == rows, 1, facts.seen_ns[rows] - facts.seen_ns[begins])
    steps = (places[rows] - places[begins]) / spans_ns[:, None]
    return np.asarray(places[rows] + steps * (facts.seen_ns[rows + 1] - facts.seen_ns[rows])[:, None])
