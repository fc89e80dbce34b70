"""T1: a solid thing that grows or shrinks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.boxes import Box3D
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, put
from fusion.checks.rule import Limits, rule

SIDES = ("length", "width", "height")
SOFT = {"share": 1e9}


@rule(
    "T1",
    "size changes",
    Severity.WARNING,
    chance=0.85,
    by_kind={Kind.PEDESTRIAN: SOFT, Kind.ANIMAL: SOFT, Kind.OTHER: SOFT, Kind.CONSTRUCTION: SOFT},
    share=0.05,
    least_m=0.08,
)
def size_changes(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Boxes of one track differ from its median size; SUSTechPOINTS allows 5 %, people are exempt."""
    share = limits.of_tracks("share", facts)
    for track in range(len(facts.tracks)):
        span = facts.rows(track)
        sizes_m = facts.boxes.sizes_lwh_m[span]
        if len(sizes_m) < 2:
            continue
        usual_m = np.median(sizes_m, axis=0)
        off_m = np.abs(sizes_m - usual_m)
        wrong = (off_m > share[track] * usual_m) & (off_m > limits["least_m"])
        rows = span.start + np.flatnonzero(wrong.any(axis=1))
        if len(rows) == 0:
            continue
        at, side = np.unravel_index(int(np.argmax(np.where(wrong, off_m / usual_m, -1))), off_m.shape)
        words = (
            f"{SIDES[side]} of {sizes_m[at, side]:.2f} m {frames_said(rows)}, mostly {usual_m[side]:.2f} m"
        )
        boxes = [Box3D(facts.annotations[r].box.ego_from_box, *(float(v) for v in usual_m)) for r in rows]
        yield boxes_found(
            facts,
            rows,
            words,
            value=off_m[at, side] / usual_m[side],
            limit=share[track],
            fix=put(facts, rows, boxes, "Give boxes the size of their track"),
        )
