"""Kalibr's camchain.yaml: `T_a_b` takes coordinates of b to a (a_from_b); pixel centres are whole numbers.

Each camera is placed against the one before it (`T_cn_cnm1`). The ego frame is that of a LiDAR where an entry
`T_cam_lidar` names one, else that of the inertial unit (`T_cam_imu`), else the first camera's place, looking
ahead. The shift between the clocks of camera and inertial unit is not part of a rig and is left aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from calib.cameras import CameraModel, DoubleSphere, ExtendedUnified, Unified
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.fields import Field, read_yaml_fields
from formats.rigs.kind import LOOKING_AHEAD, RigKind, checked, fisheye_of, head_of, pinhole_of

CAMERA = re.compile(r"cam(\d{1,3})")
MOUNT = re.compile(r"T_(?:cam(?P<number>\d*)_(?P<src>\w+)|(?P<dst>\w+)_cam\d*)")
LIDAR = re.compile(r"lidar|velo|laser", re.IGNORECASE)
IMU = re.compile(r"imu", re.IGNORECASE)
RADTANS, FISHEYES = ("radtan", "plumb_bob"), ("equidistant", "equi")


def read_camchain(path: Path, *, ego_from_reference: SE3 | None = None) -> Rig:
    """The cameras of a chain, and LiDARs where entries name some.

    Args:
        path: of the file.
        ego_from_reference: how the LiDAR, the inertial unit or the first camera sits on the car.

    Raises:
        FormatError: malformed, a camera of a model that is not known here, or one that nothing places.
    """
    root = read_yaml_fields(path)
    entries = {name: entry for name, entry in root.items() if CAMERA.fullmatch(name)}
    if not entries:
        raise root.error("without cameras cam0, cam1, ...")
    names = sorted(entries, key=lambda name: int(name[3:]))
    first_from_cam, first_from_body = _placed([entries[name] for name in names])
    lidars = [body for body in first_from_body if LIDAR.search(body)]
    ego_from_first = _ego_from_first(
        next(iter(lidars or first_from_body), ""), first_from_body, ego_from_reference
    )
    cameras = [
        Camera(name, ego_from_first @ place, _model(entries[name]))
        for name, place in zip(names, first_from_cam, strict=True)
    ]
    mounted = [Lidar(body, ego_from_first @ first_from_body[body]) for body in lidars]
    return Rig.of(tuple(mounted), tuple(cameras))


def _ego_from_first(reference: str, first_from_body: dict[str, SE3], ego_from_reference: SE3 | None) -> SE3:
    """By where the reference sits on the car; the first camera is the reference where there is no other."""
    if not reference:
        return LOOKING_AHEAD if ego_from_reference is None else ego_from_reference
    body_from_first = first_from_body[reference].inverse()
    ego_from_body = ego_from_reference or SE3.identity()
    return ego_from_body @ body_from_first


def _placed(entries: list[Field]) -> tuple[list[SE3], dict[str, SE3]]:
    """Returns first_from_cam in order, and first_from_body of LiDARs and the inertial unit by name."""
    first_from_cams: list[SE3] = []
    first_from_body: dict[str, SE3] = {}
    for entry in entries:
        cam_from_body = _mounts(entry)
        if not first_from_cams:
            first_from_cam = SE3.identity()
        elif "T_cn_cnm1" in entry:
            first_from_cam = first_from_cams[-1] @ entry["T_cn_cnm1"].rigid().inverse()
        else:
            shared = next((body for body in cam_from_body if body in first_from_body), None)
            if shared is None:
                raise entry.error("nothing tells where it sits: neither T_cn_cnm1 nor T_cam_imu")
            first_from_cam = first_from_body[shared] @ cam_from_body[shared].inverse()
        first_from_cams.append(first_from_cam)
        for body, transform in cam_from_body.items():
            first_from_body.setdefault(body, first_from_cam @ transform)
    return first_from_cams, first_from_body


def _mounts(entry: Field) -> dict[str, SE3]:
    """Returns cam_from_body of what stands beside a camera's own numbers."""
    cam_from_body = {}
    for key, field in entry.items():
        match = MOUNT.fullmatch(key)
        body = (match["src"] or match["dst"]) if match else ""
        if match and (LIDAR.search(body) or IMU.search(body)):
            transform = field.rigid()
            cam_from_body[body] = transform if match["src"] else transform.inverse()
    return cam_from_body


def _model(entry: Field) -> CameraModel:
    kind, lens = entry["camera_model"].text(), entry.get("distortion_model")
    distortion = "none" if lens is None else lens.text().lower()
    coefficients = [] if distortion == "none" else entry["distortion_coeffs"].numbers(4)
    numbers, (width, height) = entry["intrinsics"], entry["resolution"].numbers(2)
    size_px = entry["resolution"].size_px(int(width), int(height))
    if distortion not in ("none", *RADTANS, *FISHEYES):
        raise entry["distortion_model"].error(
            f"there is no distortion {distortion[:40]!r} here; known are none, radtan and equidistant"
        )
    if kind == "pinhole":
        fu, fv, pu, pv = numbers.numbers(4)
        camera = fisheye_of if distortion in FISHEYES else pinhole_of
        matrix = np.array([[fu, 0, pu], [0, fv, pv], [0, 0, 1.0]])
        return camera(numbers, matrix, size_px, coefficients)
    if kind == "omni" and distortion not in FISHEYES:
        xi, *lengths = numbers.numbers(5)
        return checked(numbers, lambda: Unified(*_four(lengths), *size_px, xi, tuple(coefficients)))
    spheres: dict[str, Callable[[list[float]], CameraModel]] = {
        "ds": lambda n: DoubleSphere(*_four(n[2:]), *size_px, xi=n[0], alpha=n[1]),
        "eucm": lambda n: ExtendedUnified(*_four(n[2:]), *size_px, alpha=n[0], beta=n[1]),
    }
    if kind in spheres and distortion == "none":
        return checked(numbers, lambda: spheres[kind](numbers.numbers(6)))
    raise entry["camera_model"].error(f"there is no model {kind[:40]!r} with distortion {distortion!r} here")


def _four(numbers: list[float]) -> tuple[float, float, float, float]:
    fu, fv, pu, pv = numbers
    return fu, fv, pu, pv


def recognises(path: Path) -> bool:
    """Whether a file looks like a camchain; never raises."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return False
    head = head_of(path)
    return "cam0:" in head and "intrinsics:" in head and "camera_model:" in head


KALIBR = RigKind(
    "kalibr",
    "Kalibr camchain",
    recognises,
    read_camchain,
    "the LiDAR's frame; else the inertial unit's; else the first camera's place, x along its view",
)
