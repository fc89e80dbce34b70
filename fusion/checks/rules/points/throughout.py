"""P16: a face that stands off the object in every frame. P17: one that cuts it in most frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import Bools
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.facts.scans import Scanned
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, Need, rule
from fusion.checks.rules.points.loose_face import NAMES, towards_sensor

SOFT = {"gap_m": 0.45}
# The column of `Scanned.around` beside each face of `NAMES` but the bottom.
BESIDE = {0: 0, 1: 2, 2: 4, 3: 1, 4: 3}


@rule(
    "P16",
    "loose throughout",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.SWEEPS],
    by_kind={Kind.PEDESTRIAN: SOFT, Kind.BICYCLE: SOFT, Kind.ANIMAL: SOFT},
    gap_m=0.15,
    gap_share=0.04,
    least_points=40,
    least_frames=5,
    most_hidden=0.05,
    tightest=0.15,
)
def loose_throughout(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Even in the frames in which a face lies best, the points of the object do not reach it.

    So small a gap says nothing in one frame, in which just this part may not have been hit.
    """
    scanned = facts.scanned
    assert scanned is not None
    faces = towards_sensor(facts)
    seen = _well_seen(scanned, limits)
    gap_m, share = limits.of_tracks("gap_m", facts), limits.of_tracks("gap_share", facts)
    for track in range(len(facts.tracks)):
        span = facts.rows(track)
        for face in (0, 1, 3, 4):
            rows = span.start + np.flatnonzero(seen[span] & faces[span, face])
            if len(rows) < limits["least_frames"]:
                continue
            side_m = float(np.median(facts.boxes.sizes_lwh_m[rows, face % 3]))
            allowed_m = max(gap_m[track], share[track] * side_m)
            off_m = float(np.quantile(scanned.reach_m[rows, face], limits["tightest"]))
            if off_m > allowed_m:
                words = f"{NAMES[face]} is {off_m:.2f} m or more off the points in nearly all frames"
                yield track_found(facts, track, words, value=off_m, limit=allowed_m)
                break


@rule(
    "P17",
    "cut throughout",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.SWEEPS],
    share=0.04,
    least_points=3,
    least_inside=40,
    least_frames=5,
    frames=0.6,
)
def cut_throughout(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """In most frames some points lie right outside of the same face."""
    scanned = facts.scanned
    assert scanned is not None
    enough = scanned.standing >= limits["least_inside"]
    for track in range(len(facts.tracks)):
        rows = facts.rows(track).start + np.flatnonzero(enough[facts.rows(track)])
        if len(rows) < limits["least_frames"]:
            continue
        shares = scanned.around[rows] / scanned.standing[rows, None]
        cut = (scanned.around[rows] >= limits["least_points"]) & (shares > limits["share"])
        for face in (0, 1, 3, 4):
            often = float(cut[:, BESIDE[face]].mean())
            if often > limits["frames"]:
                words = f"points right outside of its {NAMES[face]} in {100 * often:.0f} % of the frames"
                middle = float(np.median(shares[:, BESIDE[face]]))
                yield track_found(facts, track, words, value=middle, limit=limits["share"])
                break


def _well_seen(scanned: Scanned, limits: Limits) -> Bools:
    """(N,) where many points lie in a box and nothing stands before it."""
    beams = scanned.before + scanned.inside + scanned.through
    clear = scanned.before <= limits["most_hidden"] * beams
    return np.asarray(clear & (scanned.standing >= limits["least_points"]))
