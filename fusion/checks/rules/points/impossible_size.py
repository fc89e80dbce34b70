"""P8: a size that no thing of the class has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, rule

SIDES = ("length", "width", "height")
Span = tuple[float, float]


def _within(length: Span, width: Span, height: Span) -> dict[str, float]:
    spans = zip(SIDES, (length, width, height), strict=True)
    return {f"{end}_{side}_m": span[k] for side, span in spans for k, end in enumerate(("min", "max"))}


@rule(
    "P8",
    "impossible size",
    Severity.MANDATORY,
    chance=0.8,
    by_kind={
        Kind.CAR: _within((2.2, 8.0), (1.1, 3.0), (1.0, 3.4)),
        Kind.TRUCK: _within((3.5, 26.0), (1.4, 4.2), (1.4, 5.0)),
        Kind.BUS: _within((4.5, 42.0), (1.8, 4.2), (2.0, 5.2)),
        Kind.TRAILER: _within((1.0, 26.0), (0.8, 4.2), (0.5, 5.0)),
        Kind.PEDESTRIAN: _within((0.15, 2.6), (0.15, 2.2), (0.6, 2.4)),
        Kind.BICYCLE: _within((0.8, 3.4), (0.2, 1.6), (0.6, 2.5)),
        Kind.MOTORCYCLE: _within((0.9, 3.6), (0.3, 1.9), (0.7, 2.6)),
        Kind.CONE: _within((0.1, 1.2), (0.1, 1.2), (0.2, 1.7)),
    },
    min_length_m=0.05,
    max_length_m=40.0,
    min_width_m=0.05,
    max_width_m=12.0,
    min_height_m=0.05,
    max_height_m=12.0,
)
def impossible_size(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """A side is shorter or longer than any of its kind; doors may stand open."""
    sizes_m = facts.boxes.sizes_lwh_m
    low = np.column_stack([limits.of_boxes(f"min_{side}_m", facts) for side in SIDES])
    high = np.column_stack([limits.of_boxes(f"max_{side}_m", facts) for side in SIDES])
    wrong = (sizes_m < low) | (sizes_m > high)
    for track in np.unique(facts.owners[wrong.any(axis=1)]):
        rows = np.arange(*facts.rows(track).indices(len(facts)))
        at = rows[wrong[rows].any(axis=1)][0]
        side = int(np.argmax(wrong[at]))
        small = sizes_m[at, side] < low[at, side]
        limit_m = (low if small else high)[at, side]
        words = (
            f"a {facts.tracks[track].category} with a {SIDES[side]} of {sizes_m[at, side]:.2f} m: "
            f"{'less' if small else 'more'} than {limit_m:g} m"
        )
        yield track_found(facts, int(track), words, value=sizes_m[at, side], limit=limit_m)
