"""P14: an object that nobody labelled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import GO_THERE_S
from fusion.checks.rule import Limits, Need, rule
from fusion.edits import PutTrack
from fusion.labels import Annotation, Track
from fusion.overlap import iou_bev

NEW_BOX_S = 8.0
POINTS = "points"
ALL = 0.97


@rule(
    "P14",
    "missing object",
    Severity.WARNING,
    chance=0.7,
    needs=[Need.POSES, Need.CANDIDATES],
    least_score=0.5,
    least_frames=3,
    least_points=15,
    nearest_m=3.0,
    range_m=60.0,
    beside=0.0,
)
def missing_object(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Something else than the labels claims an object where no box is, frame after frame.

    Where all labels lie in the views of the cameras, as in KITTI, only these are searched.
    """
    assert facts.candidates is not None
    claimed = Facts.of(facts.log, facts.candidates)
    alone = _alone(facts, claimed, limits)
    least_frames, least_score = (limits.of_tracks(name, claimed) for name in ("least_frames", "least_score"))
    scores = np.array([1.0 if a.score is None else a.score for a in claimed.annotations])
    for number, track in enumerate(claimed.tracks):
        rows = np.arange(claimed.starts[number], claimed.starts[number + 1])
        free = rows[alone[rows]]
        share = len(free) / max(len(rows), 1)
        if len(free) < least_frames[number] or share < 0.5:
            continue
        score = float(np.median(scores[free]))
        if score >= least_score[number]:
            yield _found(facts, track, [claimed.annotations[row] for row in free], score)


def _alone(facts: Facts, claimed: Facts, limits: Limits) -> Bools:
    """(M,) which claimed boxes are worth telling, and touched by no label."""
    points = np.array([_points(a) for a in claimed.annotations])
    worth = claimed.away_m <= limits.of_boxes("range_m", claimed)
    worth &= claimed.away_m >= limits.of_boxes("nearest_m", claimed)
    worth &= points >= limits.of_boxes("least_points", claimed)
    if len(facts) and _in_view(facts, facts.boxes.corners()).any(axis=1).mean() >= ALL:
        worth &= _in_view(facts, claimed.boxes.dst_from_box.translations)
    alone = np.zeros(len(claimed), dtype=np.bool_)
    for frame, every in claimed.by_frame.items():
        rows = every[worth[every]]
        labelled = facts.boxes.take(facts.by_frame.get(frame, np.zeros(0, np.int64)))
        own = claimed.boxes.take(rows)
        touched = (iou_bev(own, labelled) > limits["beside"]) | _middles_in(own, labelled)
        alone[rows] = ~touched.any(axis=1)
    return alone


def _in_view(facts: Facts, places_ego: F64) -> Bools:
    """(...,) which of (..., 3) places any camera of the rig sees."""
    seen = np.zeros(places_ego.size // 3, dtype=np.bool_)
    for camera in facts.log.rig.cameras.values():
        cam_from_ego = camera.ego_from_sensor.inverse()
        seen |= camera.model.project(cam_from_ego @ places_ego.reshape(-1, 3)).visible
    return seen.reshape(places_ego.shape[:-1])


def _middles_in(some: Boxes, others: Boxes) -> Bools:
    """(A, B) whether the middle of one box lies in another."""
    apart = some.dst_from_box.translations[:, None] - others.dst_from_box.translations[None]
    places = np.einsum("bji,abj->abi", others.dst_from_box.rotations, apart)
    return np.asarray((np.abs(places) <= others.sizes_lwh_m[None] / 2).all(axis=2))


def _points(annotation: Annotation) -> float:
    told = annotation.attributes.get(POINTS)
    return float(told) if isinstance(told, int | float) else np.inf


def _found(facts: Facts, track: Track, alone: list[Annotation], score: float) -> Finding:
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
