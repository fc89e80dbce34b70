"""C2: an object that the images should show and do not. C3: one that they show as something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from calib.types import I64
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, Need, rule
from fusion.edits import SetTrack


@rule(
    "C2",
    "not in the images",
    Severity.INFO,
    chance=0.4,
    needs=[Need.POSES, Need.EVIDENCE],
    least_px=40,
    least_images=5,
    overlap=0.2,
    share=0.95,
    least_points=20,
)
def not_in_images(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Images in which it should be large and free show nothing there, of whatever kind."""
    assert facts.pictured is not None
    for track, rows in _large(facts, limits):
        if facts.scanned is not None:
            span = facts.rows(track)
            if np.median(facts.scanned.standing[span]) < limits["least_points"]:
                continue
        missed = facts.pictured.any_iou[rows] < limits["overlap"]
        if missed.mean() >= limits["share"]:
            words = f"not seen in {missed.sum()} of {len(rows)} images that should show it"
            yield track_found(facts, track, words, value=float(missed.mean()), limit=limits["share"])


@rule(
    "C3",
    "another class in the images",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.POSES, Need.EVIDENCE],
    least_px=40,
    least_images=5,
    overlap=0.6,
    own=0.3,
    share=0.7,
)
def other_class(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Most images that show it take it for a thing of another kind."""
    pictured = facts.pictured
    assert pictured is not None
    for track, rows in _large(facts, limits):
        other = (pictured.any_iou[rows] > limits["overlap"]) & (pictured.own_iou[rows] < limits["own"])
        if other.mean() < limits["share"]:
            continue
        names = Counter(pictured.other[row] for row in rows[other])
        name, count = names.most_common(1)[0]
        words = f"{count} of {len(rows)} images show a {name}"
        known = any(one.category == name for one in facts.tracks)
        fix = SetTrack(facts.tracks[track].id, name) if known else None
        yield track_found(facts, track, words, value=float(other.mean()), limit=limits["share"], fix=fix)


def _large(facts: Facts, limits: Limits) -> Iterator[tuple[int, I64]]:
    """The tracks that enough images show large and uncut, and these views."""
    assert facts.pictured is not None
    views = facts.pictured.views
    size_px = (views.ltrb_px[:, 2:] - views.ltrb_px[:, :2]).min(axis=1, initial=np.inf)
    good = (size_px >= limits["least_px"]) & (views.free.sum(axis=1) >= 3)
    for track in np.unique(views.tracks[good]).tolist():
        rows = np.flatnonzero(good & (views.tracks == track))
        if len(rows) >= limits["least_images"] and facts.starts[track + 1] > facts.starts[track]:
            yield track, rows
