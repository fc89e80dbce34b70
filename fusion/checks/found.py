"""How rules tell what they found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calib.types import F64, I64
from fusion.boxes import Box3D
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.edits import Edit, Group, PutAnnotations, RemoveAnnotations

GO_THERE_S, A_BOX_S, A_KEY_S = 3.0, 1.5, 1.0
# One who repairs many frames of a track sets some key frames.
MOST_BOXES = 8


def boxes_found(
    facts: Facts,
    rows: I64,
    words: str,
    *,
    value: float | None = None,
    limit: float | None = None,
    fix: Edit | None = None,
    repair_s: float | None = None,
    other: int | None = None,
    about: str | None = None,
) -> Finding:
    """Some boxes of one track; `other` is the number of a second track, `about` an attribute."""
    usual_s = GO_THERE_S + A_BOX_S * min(len(rows), MOST_BOXES)
    return Finding(
        rule="",
        severity=Severity.INFO,
        words=words,
        repair_s=repair_s if repair_s is not None else A_KEY_S if fix is not None else usual_s,
        track_id=facts.tracks[int(facts.owners[rows[0]])].id,
        timestamps_ns=tuple(int(t) for t in facts.times_ns[rows]),
        value=None if value is None else float(value),
        limit=None if limit is None else float(limit),
        fix=fix,
        other_id=None if other is None else facts.tracks[other].id,
        about=about,
    )


def track_found(facts: Facts, track: int, words: str, **more: object) -> Finding:
    """A track as a whole: about all of its boxes."""
    rows = np.arange(facts.starts[track], facts.starts[track + 1])
    return boxes_found(facts, rows, words, **more)  # type: ignore[arg-type]


def remove(facts: Facts, rows: I64, title: str) -> Edit | None:
    """Takes boxes away, and with the last one their track; None where a person has locked any."""
    if any(facts.annotations[row].locked for row in rows):
        return None
    track_id = facts.tracks[int(facts.owners[rows[0]])].id
    return Group((RemoveAnnotations(track_id, tuple(int(t) for t in facts.times_ns[rows])),), title)


def put(facts: Facts, rows: I64, boxes: list[Box3D], title: str) -> Edit | None:
    """Other boxes in place of those that no person has locked; None where all are locked."""
    track = facts.tracks[int(facts.owners[rows[0]])]
    pairs = zip(rows, boxes, strict=True)
    made = tuple(
        replace(facts.annotations[row], box=box) for row, box in pairs if not facts.annotations[row].locked
    )
    return Group((PutAnnotations(track.id, made),), title) if made else None


def frames_said(rows: I64) -> str:
    """How many frames, in words."""
    return "in 1 frame" if len(rows) == 1 else f"in {len(rows)} frames"


def degrees(angle_rad: float) -> str:
    """An angle as people read it."""
    return f"{np.degrees(angle_rad):.0f} degrees"


def aside(shift_m: F64) -> str:
    """How far, and on which side of something, a shift (3,) forward, left and up leads; mostly."""
    names = (("ahead of", "behind"), ("to the left of", "to the right of"), ("above", "below"))
    axis = int(np.argmax(np.abs(shift_m)))
    return f"{abs(shift_m[axis]):.2f} m {names[axis][int(shift_m[axis] < 0)]}"
