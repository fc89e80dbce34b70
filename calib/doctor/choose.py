"""Which candidate the data speak for, if for any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.doctor.candidates import Candidate
from calib.doctor.score import Geometry, Score, score
from calib.doctor.shot import Shot
from calib.se3 import SE3

FIRST_SHOTS, FIRST_EVERY, FINALISTS = 2, 2, 8
# Set on PandaSet and simulated drives: right rigs rise by 0.034 to 0.126, wrong ones by at most 0.02.
LEAST_RISE, LEAST_GAIN, LEAST_LEAD = 0.025, 0.02, 0.008
MOST_OF_BEST_AS_GIVEN, MOST_OF_BEST_NEXT = 0.6, 0.8
ALIKE_SHARE, ALIKE_RAD = 0.02, np.radians(7.0)
UNLIKELY = {"image_cropped": 0.008, "parent_axes": 0.004, "angles_in_degrees": 0.01}


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """How the best candidate of a camera stands against what was given.

    Attributes:
        given: score as given.
        best: the best candidate; None where there is none.
        score: of the best candidate.
        next: score of the best one that is not alike.
        ranked: all that were scored on every shot, best first.
    """

    given: Score
    best: Candidate | None
    score: Score
    next: Score
    ranked: tuple[tuple[Candidate, Score], ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the data speak for the best candidate: it fits, what was given does not, nor the next."""
        best, given, other = self.score.rise, max(self.given.rise, 0.0), max(self.next.rise, 0.0)
        return (
            self.best is not None
            and best > LEAST_RISE
            and best - given > LEAST_GAIN
            and given < MOST_OF_BEST_AS_GIVEN * best
            and best - other > LEAST_LEAD
            and other < MOST_OF_BEST_NEXT * best
        )


def choose(shots: Sequence[Shot], given: Geometry, candidates: Sequence[Candidate]) -> Choice:
    """Scores all candidates on a few shots, the best of them on all."""
    few = spread(shots, FIRST_SHOTS)
    first = sorted(
        ((score(few, c.geometry, FIRST_EVERY).rise, -k) for k, c in enumerate(candidates)), reverse=True
    )
    finalists = [candidates[-k] for _, k in first[:FINALISTS]]
    ranked = sorted(((c, score(shots, c.geometry)) for c in finalists), key=lambda pair: -_belief(*pair))
    as_given = score(shots, given)
    if not ranked:
        return Choice(as_given, None, as_given, as_given)
    best, best_score = ranked[0]
    others = [s for c, s in ranked[1:] if c.code != best.code and not alike(few, best.geometry, c.geometry)]
    return Choice(as_given, best, best_score, others[0] if others else Score(0.0, 0), tuple(ranked))


def _belief(candidate: Candidate, scored: Score) -> float:
    """What can be bent to fit most things must fit better to be believed."""
    return scored.rise - UNLIKELY.get(candidate.code, 0.0)


def spread(shots: Sequence[Shot], count: int) -> list[Shot]:
    """Some of the shots, first and last among them."""
    picks = np.unique(np.linspace(0, len(shots) - 1, min(count, len(shots))).round().astype(int))
    return [shots[k] for k in picks]


def alike(shots: Sequence[Shot], a: Geometry, b: Geometry) -> bool:
    """Whether two can hardly be told apart: the same view from elsewhere, or nearly the same pixels."""
    if a.mirror != b.mirror or a.flipped != b.flipped:
        return False
    cam_from_lidar_a, cam_from_lidar_b = (g.ego_from_cam.inverse() @ g.ego_from_lidar for g in (a, b))
    turn = SE3(cam_from_lidar_a.rotation.T @ cam_from_lidar_b.rotation, np.zeros(3))
    if a.model == b.model and np.linalg.norm(turn.rotation_vector_rad) < ALIKE_RAD:
        return True
    shot = shots[0]
    (a_px, a_seen), (b_px, b_seen) = (_pixels(shot, geometry) for geometry in (a, b))
    both = a_seen & b_seen
    if both.sum() < 0.5 * max(a_seen.sum(), b_seen.sum(), 1):
        return False
    apart_px = np.linalg.norm(a_px[both] - b_px[both], axis=1)
    return bool(np.median(apart_px) < ALIKE_SHARE * shot.size_px[0])


def _pixels(shot: Shot, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    cam_from_lidar = geometry.ego_from_cam.inverse() @ shot.ego_at_shot_from_ego @ geometry.ego_from_lidar
    projection = geometry.model.project(cam_from_lidar @ (shot.points_lidar * np.array(geometry.mirror)))
    return projection.uv_px, projection.visible
