"""All that a camera or a LiDAR may be instead of what is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from calib.doctor.angles import radians_taken_for_degrees
from calib.doctor.lenses import lens_mistakes
from calib.doctor.mounts import mount_mistakes
from calib.doctor.score import Geometry
from calib.rig import Camera, Lidar
from calib.se3 import SE3
from calib.types import F64

SAME_ROTATION, SAME_PLACE_M, SAME_LENS, SAME_LENS_SHARE = 0.005, 0.03, 1e-3, 0.005
FARTHEST_FROM_LIDAR_M = 6.0
MIRRORS = (("y", (1.0, -1.0, 1.0)), ("x", (-1.0, 1.0, 1.0)), ("z", (1.0, 1.0, -1.0)))


@dataclass(frozen=True, eq=False, slots=True)
class Candidate:
    """A mistake that may have been made, and the geometry without it.

    Attributes:
        code: of the kind of mistake.
        words: what is wrong, to be read behind the name of the sensor.
        mend: what to do about it.
        geometry: without the mistake.
        partner: the other camera, where two are exchanged.
        same: candidates that come to the same geometry.
    """

    code: str
    words: str
    mend: str
    geometry: Geometry
    partner: str = ""
    same: tuple[Candidate, ...] = ()


def geometry_of(camera: Camera, lidar: Lidar) -> Geometry:
    """As given."""
    return Geometry(camera.ego_from_sensor, camera.model, lidar.ego_from_sensor)


def camera_candidates(
    camera: Camera, lidar: Lidar, others: Mapping[str, Camera], size_px: tuple[int, int]
) -> list[Candidate]:
    """What one camera may be instead, the others and the LiDAR being right; each geometry once."""
    given = geometry_of(camera, lidar)
    return distinct(
        given, (*_mounts(given, lidar), *_lenses(given, size_px), *_exchanges(given, camera, others))
    )


def _mounts(given: Geometry, lidar: Lidar) -> Iterator[Candidate]:
    ego_from_cam, ego_from_lidar = given.ego_from_cam, given.ego_from_lidar
    parents = [("ego", SE3.identity()), ("lidar", ego_from_lidar)]
    for name, ego_from_parent in parents:
        parent_from_cam = ego_from_parent.inverse() @ ego_from_cam
        for mistake in mount_mistakes(parent_from_cam, name, "cam", optical=True):
            place = replace(given, ego_from_cam=ego_from_parent @ mistake.parent_from_sensor)
            yield Candidate(mistake.code, mistake.words, mistake.mend, place)
        for backwards in (False, True):
            forth = parent_from_cam.inverse() if backwards else parent_from_cam
            words = f"cam_from_{name}" if backwards else f"{name}_from_cam"
            for code, what, mend, mended in radians_taken_for_degrees(forth, words):
                right = mended.inverse() if backwards else mended
                yield Candidate(code, what, mend, replace(given, ego_from_cam=ego_from_parent @ right))
    # What was given as relative to ego would be relative to the LiDAR.
    given_mount, lidar_from_ego = ego_from_cam, ego_from_lidar.inverse()
    yield Candidate(
        "lidar_mount_left_out",
        f"its mount is relative to {lidar.name} and was taken as relative to ego",
        "ego_from_cam = ego_from_lidar @ lidar_from_cam",
        replace(given, ego_from_cam=ego_from_lidar @ given_mount),
    )
    yield Candidate(
        "lidar_mount_applied_twice",
        f"the mount of {lidar.name} was applied to it although it is relative to ego already",
        "leave ego_from_lidar away",
        replace(given, ego_from_cam=lidar_from_ego @ given_mount),
    )
    yield Candidate(
        "image_mirrored",
        "its images are mirrored left to right",
        "mirror the images",
        replace(given, flipped=True),
    )


def _lenses(given: Geometry, size_px: tuple[int, int]) -> Iterator[Candidate]:
    for mistake in lens_mistakes(given.model, size_px):
        yield Candidate(mistake.code, mistake.words, mistake.mend, replace(given, model=mistake.model))


def _exchanges(given: Geometry, camera: Camera, others: Mapping[str, Camera]) -> Iterator[Candidate]:
    for name, other in others.items():
        if name == camera.name:
            continue
        moved = replace(given, ego_from_cam=other.ego_from_sensor)
        yield Candidate(
            "mounts_exchanged", f"it has the mount of {name}", "exchange the mounts", moved, partner=name
        )
        yield Candidate(
            "images_exchanged",
            f"its images are those of {name}",
            "exchange the images",
            replace(moved, model=other.model),
            partner=name,
        )


def lidar_candidates(lidar: Lidar) -> list[tuple[str, str, str, SE3, tuple[float, float, float]]]:
    """What the LiDAR may be instead, all cameras being right: code, words, mend, ego_from_lidar, mirror."""
    plain = (1.0, 1.0, 1.0)
    found = [
        (m.code, m.words, m.mend, m.parent_from_sensor, plain)
        for m in mount_mistakes(lidar.ego_from_sensor, "ego", "lidar", optical=False)
    ]
    for name, given in (
        ("ego_from_lidar", lidar.ego_from_sensor),
        ("lidar_from_ego", lidar.ego_from_sensor.inverse()),
    ):
        for code, words, mend, mended in radians_taken_for_degrees(given, name):
            right = mended if name == "ego_from_lidar" else mended.inverse()
            found.append((code, words, mend, right, plain))
    for axis, signs in MIRRORS:
        words = f"the point cloud is left-handed: its {axis} axis points the wrong way"
        found.append(
            (
                "lidar_mirrored",
                words,
                f"change the sign of {axis} of every point",
                lidar.ego_from_sensor,
                signs,
            )
        )
    return found


def distinct(given: Geometry, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each possible geometry once, with those that come to the same; without those that come to the given."""
    listed = [c for c in candidates if possible(c.geometry)]
    if not listed:
        return []
    signs = np.array([signature(c.geometry) for c in listed])
    fresh = np.flatnonzero(np.abs(signs - signature(given)).max(axis=1) > 1)
    same = np.abs(signs[:, None] - signs[None]).max(axis=2) <= 1
    kept: dict[int, list[Candidate]] = {}
    for k in fresh.tolist():
        first = next((i for i in kept if same[i, k]), None)
        kept.setdefault(k if first is None else first, []).append(listed[k])
    return [replace(group[0], same=tuple(group[1:])) for group in kept.values()]


def signature(geometry: Geometry) -> F64:
    """Numbers that differ by less than one where points fall to nearly the same pixels."""
    cam_from_lidar = geometry.ego_from_cam.inverse() @ geometry.ego_from_lidar
    lens = np.nan_to_num(geometry.model.row, posinf=1e6, neginf=-1e6)
    family = float(sum(map(ord, type(geometry.model).__name__)))
    return np.concatenate(
        [
            cam_from_lidar.rotation.ravel() / SAME_ROTATION,
            cam_from_lidar.translation / SAME_PLACE_M,
            np.sign(lens) * np.log1p(np.abs(lens) / SAME_LENS) / SAME_LENS_SHARE,
            [10 * family, 10.0 * geometry.flipped, *(10 * np.array(geometry.mirror))],
        ]
    )


def possible(geometry: Geometry) -> bool:
    """Whether a car can be built so: the camera near the LiDAR."""
    lidar_from_cam = geometry.ego_from_lidar.inverse() @ geometry.ego_from_cam
    return float(np.linalg.norm(lidar_from_cam.translation)) < FARTHEST_FROM_LIDAR_M
