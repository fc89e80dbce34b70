"""From candidates and scores to findings: one camera at a time, then what all of them have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calib.doctor.candidates import (
    Candidate,
    camera_candidates,
    distinct,
    geometry_of,
    lidar_candidates,
    signature,
)
from calib.doctor.choose import FIRST_EVERY, LEAST_RISE, Choice, alike, choose, spread
from calib.doctor.degrees import degrees_candidates
from calib.doctor.finding import Finding
from calib.doctor.score import Geometry, score
from calib.doctor.shot import Shot
from calib.rig import Camera, Lidar, Rig

SHARE_OF_CAMERAS, SHARE_OF_RISE, LIDAR_FINALISTS = 0.6, 0.85, 6
RIG_LEAD = 0.008
PROMISING_RISE = 0.035


@dataclass(frozen=True, eq=False, slots=True)
class LidarChoice:
    """The LiDAR that all cameras together speak for.

    Attributes:
        candidate: what was wrong with it.
        lidar: the corrected LiDAR.
        given: mean rise over the cameras as given.
        rise: mean rise over the cameras with the corrected LiDAR.
        next: the same of the best candidate of another kind.
        by_camera: rise of each camera with the corrected LiDAR.
    """

    candidate: Candidate
    lidar: Lidar
    given: float
    rise: float
    next: float
    by_camera: Mapping[str, float]


def diagnose(rig: Rig, shots: Mapping[str, Sequence[Shot]]) -> list[Finding]:
    """Names the likely mistakes in a rig, from shots of its cameras; silent without any.

    A camera as given is believed unless a candidate fits clearly better than it and than everything else;
    where one mistake of the LiDAR explains most cameras as well as a mistake for each, it is the LiDAR, and
    nothing else is said: what its points are measured against has to be right first.
    """
    lidar = rig.main_lidar
    if lidar is None:
        return []
    choices = {
        name: _choice(rig.cameras[name], lidar, rig, some)
        for name, some in shots.items()
        if some and name in rig.cameras
    }
    common = _lidar_choice(rig, lidar, choices, shots)
    if common is None:
        if len(choices) == 1:
            choices = {
                name: _or_the_lidar(choice, rig.cameras[name], lidar) for name, choice in choices.items()
            }
        return _camera_findings(rig, choices)
    return [_lidar_finding(common, lidar, choices)]


def _choice(camera: Camera, lidar: Lidar, rig: Rig, shots: Sequence[Shot]) -> Choice:
    given = geometry_of(camera, lidar)
    candidates = camera_candidates(camera, lidar, rig.cameras, shots[0].size_px)
    choice = choose(shots, given, candidates)
    if choice.clear or max(choice.given.rise, choice.score.rise) > PROMISING_RISE:
        return choice
    degrees = degrees_candidates(spread(shots, 2), given)
    return choose(shots, given, [*candidates, *degrees]) if degrees else choice


def _or_the_lidar(choice: Choice, camera: Camera, lidar: Lidar) -> Choice:
    """With one camera, its mistake may as well be one of the LiDAR: those that come to the same are added."""
    best = choice.best
    if best is None:
        return choice
    given = geometry_of(camera, lidar)
    wanted = signature(best.geometry)
    twins = [
        Candidate(code, f"{lidar.name}: {words}", mend, place)
        for code, words, mend, mount, mirror in lidar_candidates(lidar)
        if np.abs(signature(place := replace(given, ego_from_lidar=mount, mirror=mirror)) - wanted).max() <= 1
    ]
    return replace(choice, best=replace(best, same=(*best.same, *twins)))


def _camera_findings(rig: Rig, choices: Mapping[str, Choice]) -> list[Finding]:
    clear = {name: choice for name, choice in choices.items() if choice.clear}
    partners = {
        name: choice.best.partner for name, choice in clear.items() if choice.best and choice.best.partner
    }
    findings = []
    for name, choice in clear.items():
        partner = partners.get(name)
        if partner and partners.get(partner) == name and list(clear).index(partner) < list(clear).index(name):
            continue
        findings.append(
            _camera_finding(rig.cameras[name], choice, mutual=partners.get(partner or "") == name)
        )
    return findings


def _camera_finding(camera: Camera, choice: Choice, mutual: bool) -> Finding:
    best = choice.best
    assert best is not None
    words = best.words
    if mutual:
        thing = "mounts" if best.code == "mounts_exchanged" else "images"
        words = f"the {thing} of {camera.name} and {best.partner} are exchanged"
    others = [twin.words for twin in best.same if twin.code != best.code]
    message = f"{camera.name}: {words}" + "".join(f"; or {other}" for other in dict.fromkeys(others))
    corrected = replace(camera, ego_from_sensor=best.geometry.ego_from_cam, model=best.geometry.model)
    return Finding(
        best.code,
        camera.name,
        "wrong",
        message,
        best.mend,
        _codes(best),
        _evidence(choice),
        None if best.geometry.flipped else corrected,
    )


def _codes(candidate: Candidate) -> tuple[str, ...]:
    return tuple(dict.fromkeys(twin.code for twin in candidate.same if twin.code != candidate.code))


def _evidence(choice: Choice) -> dict[str, float]:
    return {
        "rise_as_given": round(choice.given.rise, 4),
        "rise_mended": round(choice.score.rise, 4),
        "rise_of_next": round(choice.next.rise, 4),
        "edges_seen": float(choice.score.seen),
    }


def _lidar_choice(
    rig: Rig, lidar: Lidar, choices: Mapping[str, Choice], shots: Mapping[str, Sequence[Shot]]
) -> LidarChoice | None:
    """What is wrong with the LiDAR, if one thing explains most cameras that look wrong as given."""
    wrong = [name for name, choice in choices.items() if choice.given.rise < LEAST_RISE]
    if len(wrong) < max(1, SHARE_OF_CAMERAS * len(choices)):
        return None
    first = geometry_of(rig.cameras[wrong[0]], lidar)
    listed = [
        Candidate(code, words, mend, replace(first, ego_from_lidar=mount, mirror=mirror))
        for code, words, mend, mount, mirror in lidar_candidates(lidar)
    ]
    candidates = distinct(first, listed)
    if not candidates:
        return None

    def rises(candidate: Candidate, count: int, every: int) -> dict[str, float]:
        return {
            name: score(
                spread(shots[name], count), _with_lidar(rig.cameras[name], lidar, candidate), every
            ).rise
            for name in choices
        }

    quick = {k: _mean(rises(candidate, 1, FIRST_EVERY)) for k, candidate in enumerate(candidates)}
    finalists = sorted(quick, key=lambda k: -quick[k])[:LIDAR_FINALISTS]
    full = sorted(
        ((candidates[k], rises(candidates[k], 100, 1)) for k in finalists), key=lambda pair: -_mean(pair[1])
    )
    best, by_camera = full[0]
    given = _mean({name: choice.given.rise for name, choice in choices.items()})
    few = spread(shots[wrong[0]], 1)
    rivals = [
        some
        for one, some in full[1:]
        if one.code != best.code and not alike(few, best.geometry, one.geometry)
    ]
    other = max(map(_mean, rivals), default=0.0)
    fits = sum(rise > LEAST_RISE for rise in by_camera.values()) >= SHARE_OF_CAMERAS * len(choices)
    alone = _mean(
        {name: choice.score.rise if choice.clear else choice.given.rise for name, choice in choices.items()}
    )
    mean = _mean(by_camera)
    if not fits or mean - other < RIG_LEAD or mean < SHARE_OF_RISE * alone or mean - given < LEAST_RISE / 2:
        return None
    if len(choices) == 1 and not _single_speaks_for_lidar(best, next(iter(choices.values()))):
        return None
    moved = replace(lidar, ego_from_sensor=best.geometry.ego_from_lidar)
    return LidarChoice(best, moved, given, mean, other, by_camera)


def _single_speaks_for_lidar(best: Candidate, choice: Choice) -> bool:
    """With one camera only a mistake that no mistake of the camera explains as well can be the LiDAR's."""
    if best.geometry.mirror != (1.0, 1.0, 1.0):
        return True
    return not choice.clear


def _with_lidar(camera: Camera, lidar: Lidar, candidate: Candidate) -> Geometry:
    moved = replace(lidar, ego_from_sensor=candidate.geometry.ego_from_lidar)
    return replace(geometry_of(camera, moved), mirror=candidate.geometry.mirror)


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean([max(value, 0.0) for value in values.values()])) if values else 0.0


def _lidar_finding(common: LidarChoice, lidar: Lidar, choices: Mapping[str, Choice]) -> Finding:
    best = common.candidate
    others = [twin.words for twin in best.same if twin.code != best.code]
    message = f"{lidar.name}: {best.words}" + "".join(f"; or {other}" for other in dict.fromkeys(others))
    evidence = {
        "rise_as_given": round(common.given, 4),
        "rise_mended": round(common.rise, 4),
        "rise_of_next": round(common.next, 4),
        "cameras": float(len(choices)),
        "cameras_that_agree": float(sum(rise > LEAST_RISE for rise in common.by_camera.values())),
    }
    mirrored = best.geometry.mirror != (1.0, 1.0, 1.0)
    return Finding(
        best.code,
        lidar.name,
        "wrong",
        message,
        best.mend,
        _codes(best),
        evidence,
        lidar=None if mirrored else common.lidar,
    )


def confirmed(rig: Rig, shots: Mapping[str, Sequence[Shot]], named: set[str]) -> list[Finding]:
    """What is left to say of cameras that no finding names and that the data do not confirm either."""
    findings = []
    lidar = rig.main_lidar
    for name, some in shots.items():
        if lidar is None or not some or name in named or lidar.name in named:
            continue
        as_given = score(some, geometry_of(rig.cameras[name], lidar))
        if as_given.seen == 0:
            message = f"{name}: not one edge of {lidar.name} falls into its images"
            findings.append(Finding("sees_nothing", name, "suspicious", message, "look at its mount"))
        elif as_given.rise < LEAST_RISE:
            message = f"{name}: its images neither confirm its calibration nor tell what is wrong with it"
            evidence = {"rise_as_given": round(as_given.rise, 4), "edges_seen": float(as_given.seen)}
            mend = "look at the points in its images; more or other frames may tell"
            findings.append(Finding("not_confirmed", name, "note", message, mend, evidence=evidence))
    return findings


def mostly_unconfirmed(rig: Rig, shots: Mapping[str, Sequence[Shot]]) -> bool:
    """Whether most cameras do not fit as given, so that what they share may be at fault."""
    lidar = rig.main_lidar
    if lidar is None:
        return False
    rises = [score(some, geometry_of(rig.cameras[name], lidar)).rise for name, some in shots.items() if some]
    return sum(rise < LEAST_RISE for rise in rises) >= max(1.0, SHARE_OF_CAMERAS * len(rises))
