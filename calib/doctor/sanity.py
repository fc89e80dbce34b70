"""What can be told from a rig alone, without a single image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from calib.cameras import CameraModel, Fisheye, Pinhole
from calib.doctor.finding import Finding
from calib.rig import Camera, Lidar, Rig

FARTHEST_M = 5.0
NARROWEST_RAD, WIDEST_PINHOLE_RAD, WIDEST_RAD = np.radians(5.0), np.radians(150.0), np.radians(300.0)
OFF_MIDDLE_SHARE = 0.3
SAME_PLACE_M, SAME_DIRECTION_RAD = 0.02, np.radians(1.0)
GRID = 9


def check_rig(rig: Rig) -> list[Finding]:
    """Mounts and lenses that cannot well be, by camera, then by pair of cameras."""
    findings = [f for camera in rig.cameras.values() for f in _check_camera(camera, rig.main_lidar)]
    return findings + [f for a, b in combinations(rig.cameras.values(), 2) for f in _check_pair(a, b)]


def _check_camera(camera: Camera, lidar: Lidar | None) -> Iterator[Finding]:
    if lidar is not None:
        apart_m = float(
            np.linalg.norm(camera.ego_from_sensor.translation - lidar.ego_from_sensor.translation)
        )
        if apart_m > FARTHEST_M:
            yield Finding(
                "camera_far_from_lidar",
                camera.name,
                "suspicious",
                f"{camera.name}: it sits {apart_m:.1f} m from {lidar.name}; translations are in metres",
                "look at the translation of its mount",
                evidence={"apart_m": round(apart_m, 2)},
            )
    yield from _check_lens(camera.name, camera.model)


def _check_lens(name: str, model: CameraModel) -> Iterator[Finding]:
    if not isinstance(model, Pinhole | Fisheye):
        return
    widest_rad = WIDEST_PINHOLE_RAD if isinstance(model, Pinhole) else WIDEST_RAD
    angle_rad = field_of_view_rad(model)
    if not NARROWEST_RAD < angle_rad < widest_rad:
        yield Finding(
            "field_of_view_absurd",
            name,
            "suspicious",
            f"{name}: a focal length of {model.fx_px:.0f} px on {model.width_px} px makes a field of view of "
            f"{np.degrees(angle_rad):.0f} degrees",
            "look at the focal length: it is in pixels of this image size",
            evidence={"field_of_view_deg": round(float(np.degrees(angle_rad)), 2)},
        )
    size = np.array([model.width_px, model.height_px])
    off = np.abs((np.array([model.cx_px, model.cy_px]) - (size - 1) / 2) / size)
    if off.max() > OFF_MIDDLE_SHARE:
        yield Finding(
            "principal_point_off",
            name,
            "suspicious",
            f"{name}: its principal point ({model.cx_px:.0f}, {model.cy_px:.0f}) is far from the middle of "
            f"its {model.width_px} x {model.height_px} image",
            "see whether the intrinsics are for this image size, and cx, cy in this order",
            evidence={"off_share": round(float(off.max()), 3)},
        )
    yield from _check_fold(name, model)
    yield from _check_pixel_centre(name, model)


def field_of_view_rad(model: Pinhole | Fisheye) -> float:
    """Across the image, of the model without distortion."""
    half = model.width_px / 2 / model.fx_px
    return float(2 * (np.arctan(half) if isinstance(model, Pinhole) else half))


def _check_fold(name: str, model: Pinhole | Fisheye) -> Iterator[Finding]:
    across = np.linspace(0, model.width_px - 1, GRID)
    down = np.linspace(0, model.height_px - 1, GRID)
    pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    blind = ~np.isfinite(model.ray(pixels)).all(axis=1)
    share = float(blind.mean())
    # The dark corners of a real fisheye lie beyond its last ray: no fault.
    if isinstance(model, Pinhole) and share > 0:
        yield Finding(
            "distortion_folds",
            name,
            "suspicious",
            f"{name}: its distortion folds back inside the image: {share:.0%} of it belongs to no direction",
            "look at the order, the sign and the model of its distortion coefficients",
            evidence={"blind_share": round(share, 3)},
        )


def _check_pixel_centre(name: str, model: Pinhole | Fisheye) -> Iterator[Finding]:
    halves = model.width_px / 2, model.height_px / 2
    if (model.cx_px, model.cy_px) == halves and not any(model.distortion):
        angle_deg = float(np.degrees(0.5 / model.fx_px))
        yield Finding(
            "pixel_corner",
            name,
            "note",
            f"{name}: a principal point of exactly half the image size suggests that pixel corners are whole "
            f"numbers; here pixel centres are, a shift of half a pixel ({angle_deg:.3f} degrees)",
            "subtract 0.5 from cx and cy if the images are ideal (rendered) ones",
            evidence={"shift_px": 0.5, "shift_deg": round(angle_deg, 4)},
        )


def _check_pair(a: Camera, b: Camera) -> Iterator[Finding]:
    a_from_b = a.ego_from_sensor.inverse() @ b.ego_from_sensor
    near = float(np.linalg.norm(a_from_b.translation)) < SAME_PLACE_M
    if near and float(np.linalg.norm(a_from_b.rotation_vector_rad)) < SAME_DIRECTION_RAD:
        yield Finding(
            "cameras_coincide",
            b.name,
            "suspicious",
            f"{b.name}: it has the same place and direction as {a.name}",
            "see whether one mount was copied to the other",
        )
