"""P15: a box about something that nothing else takes for an object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.boxes import Box3D, Boxes
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, Need, rule
from fusion.overlap import giou_bev

SMALL = {"range_m": 25.0}


@rule(
    "P15",
    "no such object",
    Severity.INFO,
    chance=0.4,
    needs=[Need.SWEEPS, Need.CANDIDATES],
    by_kind={
        Kind.PEDESTRIAN: SMALL,
        Kind.BICYCLE: SMALL,
        Kind.MOTORCYCLE: SMALL,
        **{kind: {"range_m": 0.0} for kind in (Kind.CONE, Kind.BARRIER, Kind.ANIMAL, Kind.OTHER)},
    },
    range_m=40.0,
    least_points=40,
    least_frames=3,
    far_apart=-0.2,
)
def unseen(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It has many points nearby, and in none of those frames does anything else claim an object there."""
    scanned, candidates = facts.scanned, facts.candidates
    assert scanned is not None and candidates is not None
    claimed: dict[int, list[Box3D]] = {}
    for track in candidates.tracks.values():
        for annotation in track.annotations.values():
            claimed.setdefault(annotation.timestamp_ns, []).append(annotation.box)
    clear = (scanned.standing >= limits["least_points"]) & (facts.away_m < limits.of_boxes("range_m", facts))
    clear &= facts.covered
    alone = np.zeros(len(facts), dtype=np.bool_)
    for frame, rows in facts.by_frame.items():
        others = Boxes.stack(claimed.get(int(facts.log.timestamps_ns[frame]), []))
        nearest = giou_bev(facts.boxes.take(rows), others).max(axis=1, initial=-1.0)
        alone[rows] = nearest < limits["far_apart"]
    for number in range(len(facts.tracks)):
        rows_clear = clear[facts.rows(number)]
        if rows_clear.sum() >= limits["least_frames"] and alone[facts.rows(number)][rows_clear].all():
            most = int(scanned.standing[facts.rows(number)].max())
            yield track_found(
                facts, number, f"has up to {most} points, and nothing else takes it for an object"
            )
