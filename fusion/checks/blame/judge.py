"""Judging a log: who is to blame for what does not agree between 2D evidence and 3D boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F64, I64
from fusion.categories import kind_of
from fusion.checks.blame import words
from fusion.checks.blame.boxes import BoxBlame, boxes_off
from fusion.checks.blame.decide import Culprit, Decision, decide
from fusion.checks.blame.matched import NOISE, Matched, matched
from fusion.checks.blame.model import explain
from fusion.checks.blame.views import Views
from fusion.checks.evidence import Evidence
from fusion.labels import LabelSet
from fusion.log import DriveLog

ROUNDS = 2
ALIKE_SIGMAS, MANY_CAMERAS = 2.0, 3


@dataclass(frozen=True, eq=False, slots=True)
class Blame:
    """What is wrong with one camera.

    Attributes:
        camera: its name.
        culprit: calibration, clock, both, none, or that it cannot be said.
        rotation_rad: (3,) turn `cam_from_given_cam` about its axes x, y, z that sets it right; zero where
            the clock alone is to blame.
        rotation_sigma_rad: (3,) its standard deviation.
        offset_ns: to be added to its timestamps; 0 where the calibration alone is to blame.
        offset_sigma_ns: its standard deviation.
        objects: how many tracks spoke.
        images: in how many images.
        words: one sentence.
    """

    camera: str
    culprit: Culprit
    rotation_rad: F64
    rotation_sigma_rad: F64
    offset_ns: int
    offset_sigma_ns: int
    objects: int
    images: int
    words: str

    @property
    def cam_from_given_cam(self) -> SE3:
        """The correction of the camera's mount, where it is named; nothing otherwise."""
        named = self.culprit in (Culprit.CALIBRATION, Culprit.BOTH)
        return SE3.from_rotation_vector(self.rotation_rad) if named else SE3.identity()


@dataclass(frozen=True, eq=False, slots=True)
class Judgement:
    """What does not agree, and whose fault it is.

    Attributes:
        cameras: by name, all of the rig.
        boxes: what is left to single boxes and tracks.
        pairs: N objects in images with both rectangles.
        expected_px: (N, 4) where their edges are expected: the projected rectangle, mended for the cameras
            that are named and for how things of their kind fill their boxes.
    """

    cameras: Mapping[str, Blame]
    boxes: tuple[BoxBlame, ...]
    pairs: Matched
    expected_px: F64

    @property
    def residuals_px(self) -> F64:
        """(N, 4) observed less expected: what is left to boxes."""
        return np.asarray(self.pairs.seen_px - self.expected_px)


def judge(log: DriveLog, labels: LabelSet, evidence: Sequence[Evidence], views: Views) -> Judgement:
    """Splits what does not agree between 2D evidence and 3D boxes into errors of cameras and of boxes.

    All cameras, tracks and kinds are fitted together by one robust regression: a camera may be turned or
    late, every track may be shifted and of unusual shape, every kind may fill its boxes more or less. An
    error of a camera moves all its objects; one that two cameras see alike belongs to the box.

    Args:
        log: with the rig and the trajectory.
        labels: 3D boxes.
        evidence: rectangles that do not come from these boxes.
        views: of `views_of`, with the same evidence.
    """
    names, moved_px, noise = list(log.rig.cameras), None, NOISE
    for _ in range(ROUNDS):
        pairs = matched(log.rig, labels, evidence, views, moved_px, noise)
        explained = explain(pairs, _kinds(labels, pairs), len(names))
        moved_px = _moved_px(views, [explained.of_camera(camera, 1)[0] for camera in range(len(names))])
        noise = explained.noise(pairs)
    heard = [_heard(pairs, camera) for camera in range(len(names))]
    decisions = [
        decide(*explained.of_camera(camera, objects), objects) for camera, (objects, _) in enumerate(heard)
    ]
    blames = {}
    for camera, (objects, images) in enumerate(heard):
        alike = _alike(camera, names, decisions)
        blames[names[camera]] = _blame(names[camera], decisions[camera], objects, images, alike)
    expected_px = pairs.views.ltrb_px + _moved_px(pairs.views, [_named(one) for one in decisions])
    expected_px += explained.shapes_px(pairs, _kinds(labels, pairs))
    return Judgement(blames, boxes_off(log, labels, evidence, pairs, explained), pairs, expected_px)


def _heard(pairs: Matched, camera: int) -> tuple[int, int]:
    """How many objects a camera shows, in how many images."""
    mine = (pairs.views.cameras == camera) & pairs.usable.any(axis=1)
    return len(np.unique(pairs.views.tracks[mine])), len(np.unique(pairs.views.images[mine]))


def _kinds(labels: LabelSet, pairs: Matched) -> I64:
    """(N,) number of the kind of each pair, among those that there are."""
    kinds = [kind_of(track.category) for track in labels.tracks.values()]
    shown = sorted({kinds[track] for track in pairs.views.tracks.tolist()})
    numbers = {kind: number for number, kind in enumerate(shown)}
    return np.array([numbers[kinds[track]] for track in pairs.views.tracks.tolist()], dtype=np.int64)


def _named(decision: Decision) -> F64:
    """(4,) the error of a camera that is named; zeros where none is."""
    return (
        decision.values
        if decision.culprit in (Culprit.CALIBRATION, Culprit.CLOCK, Culprit.BOTH)
        else np.zeros(4)
    )


def _moved_px(views: Views, errors: Sequence[F64]) -> F64:
    """(N, 4) by how many pixels the edges move with the (4,) error of each camera."""
    mine = np.array(errors).reshape(-1, 4)[views.cameras]
    known = views.derivatives
    return np.asarray(np.einsum("nek,nk->ne", known.turn, mine[:, :3]) + known.time * mine[:, 3:])


def _alike(camera: int, names: Sequence[str], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """Other cameras whose clocks are off by about as much, where there are several."""
    mine, others = decisions[camera], []
    for other, decision in enumerate(decisions):
        apart_s = abs(decision.values[3] - mine.values[3])
        near = apart_s < ALIKE_SIGMAS * np.hypot(decision.sigmas[3], mine.sigmas[3])
        if other != camera and decision.culprit is Culprit.CLOCK and near:
            others.append(names[other])
    return tuple(others) if len(others) + 1 >= MANY_CAMERAS else ()


def _blame(camera: str, decision: Decision, objects: int, images: int, alike: tuple[str, ...]) -> Blame:
    return Blame(
        camera,
        decision.culprit,
        decision.values[:3],
        decision.sigmas[:3],
        round(1e9 * decision.values[3]),
        round(1e9 * decision.sigmas[3]),
        objects,
        images,
        words.of_camera(camera, decision, objects, images, alike),
    )
