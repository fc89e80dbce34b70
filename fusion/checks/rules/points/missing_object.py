"""P14: an object that nobody labelled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import I64
from fusion.boxes import Boxes
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import GO_THERE_S
from fusion.checks.rule import Limits, Need, rule
from fusion.edits import PutTrack
from fusion.labels import Annotation, Track
from fusion.overlap import count_points_in_boxes, iou_bev

NEW_BOX_S = 8.0
POINTS = "points"


@rule(
    "P14",
    "missing object",
    Severity.WARNING,
    chance=0.9,
    needs=[Need.CANDIDATES],
    least_score=0.5,
    least_frames=3,
    least_points=15,
    range_m=60.0,
    beside=0.0,
)
def missing_object(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Something else than the labels claims an object where no box is, frame after frame."""
    assert facts.candidates is not None
    frame_of = {int(t): frame for frame, t in enumerate(facts.log.timestamps_ns)}
    for track in facts.candidates.tracks.values():
        alone = [
            a
            for a in track.annotations.values()
            if a.timestamp_ns in frame_of
            and np.hypot(*a.box.center[:2]) <= limits["range_m"]
            and _points(a) >= limits["least_points"]
            and _is_free(a, facts, facts.by_frame.get(frame_of[a.timestamp_ns]), limits["beside"])
        ]
        share = len(alone) / max(len(track.annotations), 1)
        score = float(np.median([a.score if a.score is not None else 1.0 for a in alone] or [0.0]))
        if len(alone) < limits["least_frames"] or score < limits["least_score"] or share < 0.5:
            continue
        yield _found(facts, track, alone, score, limits)


def _points(annotation: Annotation) -> float:
    told = annotation.attributes.get(POINTS)
    return float(told) if isinstance(told, int | float) else np.inf


def _is_free(annotation: Annotation, facts: Facts, rows: I64 | None, beside: float) -> bool:
    """Whether no label of the frame touches a box."""
    if rows is None:
        return True
    labelled, own = facts.boxes.take(rows), Boxes.stack([annotation.box])
    if (iou_bev(own, labelled) > beside).any():
        return False
    return not bool(count_points_in_boxes(annotation.box.center[None], labelled).any())


def _found(facts: Facts, track: Track, alone: list[Annotation], score: float, limits: Limits) -> Finding:
    nearest = min(alone, key=lambda a: float(np.hypot(*a.box.center[:2])))
    x, y, z = (float(v) for v in nearest.box.center)
    most = max(_points(a) for a in alone)
    points = "" if np.isinf(most) else f" with up to {most:.0f} points"
    words = f"an unlabelled {track.category}{points} in {len(alone)} frames"
    new_id = _free_id(facts, track.id)
    return Finding(
        rule="",
        severity=Severity.INFO,
        words=words,
        repair_s=GO_THERE_S + NEW_BOX_S,
        timestamps_ns=tuple(a.timestamp_ns for a in [nearest, *(a for a in alone if a is not nearest)]),
        chance=score,
        fix=PutTrack(Track.of(new_id, track.category, alone)),
        place=(x, y, z),
    )


def _free_id(facts: Facts, wish: str) -> str:
    name = f"found-{wish}"
    while name in facts.labels.tracks:
        name += "+"
    return name
