"""P5: an object that reaches out of its box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule

FACES = ("front", "back", "left side", "right side")


@rule(
    "P5",
    "cut object",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.SWEEPS],
    share=0.12,
    least_points=10,
    least_inside=15,
)
def cut_object(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Many points right beside a face, off the ground and in no other box, belong to it by all looks."""
    scanned = facts.scanned
    assert scanned is not None
    beside = scanned.around[:, :4]
    shares = beside / np.maximum(scanned.standing, 1)[:, None]
    many = (beside >= limits["least_points"]) & (shares > limits["share"])
    cut = many.any(axis=1) & (scanned.standing >= limits["least_inside"])
    for rows in facts.episodes(cut):
        row, face = np.unravel_index(int(np.argmax(np.where(many[rows], shares[rows], -1))), (len(rows), 4))
        worst = rows[row]
        words = f"{beside[worst, face]} points right outside of its {FACES[face]} {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=shares[worst, face], limit=limits["share"])
