"""A segment of Waymo Open v2 opened.

A frame stands at the start of the sweep of the upper LiDAR. An image has the middle of its exposure for its
instant, half way from the trigger to the end of the readout; its rows or columns follow one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Camera, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, U8
from formats.errors import FormatError
from formats.folder.poses import carried_on
from formats.images import decoded_rgb
from formats.waymo.component import CAMERA, LASER, MOST_MICROS, Component
from formats.waymo.folder import POSES, component_file, root_of
from formats.waymo.points import read_sweep
from formats.waymo.rig import CAMERAS, LIDARS, read_rig, sensor_name
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

METADATA = {"format": "waymo", "attribution": "Waymo Open Dataset, waymo.com/open"}
NOT_TWICE_NS = 1_000_000
MOST_IMAGE_BYTES = 1 << 28
SHUTTER = ("shutter", "camera_trigger_time", "camera_readout_done_time")


@dataclass(frozen=True, eq=False, slots=True)
class Shots:
    """The images of all cameras, without their pixels.

    Attributes:
        cameras: (N,) numbers of cameras.
        frames_ns: (N,) frames that they belong to.
        middles_ns: (N,) instants of the middle of their exposure.
        shutters_s: (N, 2) how long the readout took, and one exposure.
        poses_ns: (N,) instants of the poses.
        world_from_ego: poses of the car.
    """

    cameras: I64
    frames_ns: I64
    middles_ns: I64
    shutters_s: F64
    poses_ns: I64
    world_from_ego: list[SE3]

    def shutters_ns(self) -> dict[int, tuple[int, int]]:
        """Readout and exposure of each camera, as most of its images have them."""
        medians = {
            int(camera): np.median(self.shutters_s[self.cameras == camera], axis=0)
            for camera in np.unique(self.cameras)
        }
        return {camera: (round(r * 1e9), round(e * 1e9)) for camera, (r, e) in medians.items()}


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a segment: no points and no pixels are read.

    Raises:
        FormatError: there is no such segment, or its poses, calibration or keys are malformed.
    """
    root = root_of(path, log_id)
    frames_ns, world_from_ego = _frame_poses(root, log_id)
    shots = read_shots(root, log_id)
    rig = read_rig(root, log_id, shots.shutters_ns() if shots else {})
    poses = dict(zip(frames_ns.tolist(), world_from_ego, strict=True))
    sweeps = _sweeps(root, log_id, rig, poses)
    images = _images(root, log_id, rig, shots) if shots else {}
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=_trajectory(frames_ns, world_from_ego, shots),
        timestamps_ns=frames_ns,
        sweeps=sweeps,
        images=images,
        missing=tuple(_missing(frames_ns, sweeps)),
        metadata={
            "format": "waymo",
            "attribution": "Waymo Open Dataset, waymo.com/open",
            **_stats(root, log_id),
        },
    )


def read_shots(root: Path, log_id: str) -> Shots | None:
    """What is known of the images of a segment; None where there are none.

    Raises:
        FormatError: the component is malformed.
    """
    file = component_file(root, "camera_image", log_id)
    if not file.is_file():
        return None
    table = Component(file, "CameraImageComponent")
    columns = [table.column(f"rolling_shutter_params.{name}") for name in SHUTTER]
    shutter_s, trigger_s, done_s = table.numbers(*columns).T
    poses_s = table.numbers(table.column("pose_timestamp"))[:, 0]
    for times_s in (trigger_s, done_s, poses_s):
        if len(times_s) and not 0 <= times_s.min() <= times_s.max() < MOST_MICROS / 1e6:
            raise FormatError(file, "", "a time that cannot be")
    readout_s = done_s - trigger_s - shutter_s
    if len(readout_s) and not (readout_s.min() > -1e-3 and readout_s.max() < 1 and shutter_s.min() >= 0):
        raise FormatError(file, "", "an image that was read out before it was exposed, or for over a second")
    return Shots(
        table.whole(CAMERA),
        table.frames_ns(),
        _ns(trigger_s) + _ns((done_s - trigger_s) / 2),
        np.column_stack([np.maximum(readout_s, 0), shutter_s]),
        _ns(poses_s),
        table.transforms(table.column("pose.transform")),
    )


def _ns(seconds: F64) -> I64:
    return np.round(seconds * 1e9).astype(np.int64)


def _frame_poses(root: Path, log_id: str) -> tuple[I64, list[SE3]]:
    table = Component(component_file(root, POSES, log_id), "VehiclePoseComponent")
    frames_ns = table.frames_ns()
    poses = table.transforms(table.column("world_from_vehicle.transform"))
    if not len(frames_ns) or len(np.unique(frames_ns)) < len(frames_ns):
        raise FormatError(table.path, "", "needs frames, each with one pose")
    order = np.argsort(frames_ns)
    return frames_ns[order], [poses[k] for k in order]


def _trajectory(frames_ns: I64, world_from_ego: list[SE3], shots: Shots | None) -> Trajectory:
    """The poses at frames and, a millisecond or more from any other, those at images."""
    outer = Trajectory(frames_ns, SE3Batch.stack(world_from_ego))
    outer = carried_on(outer, int(frames_ns[0]), int(frames_ns[-1]))
    poses = dict(zip(outer.timestamps_ns.tolist(), outer.world_from_ego, strict=True))
    if shots is not None:
        seen = sorted(zip(shots.poses_ns.tolist(), shots.world_from_ego, strict=True), key=lambda p: p[0])
        last_ns = outer.start_ns
        for t, pose in seen:
            after = min(int(np.searchsorted(frames_ns, t)), len(frames_ns) - 1)
            nearest_ns = min(abs(int(frames_ns[k]) - t) for k in (max(after - 1, 0), after))
            if min(nearest_ns, t - last_ns, outer.end_ns - t) >= NOT_TWICE_NS:
                poses[t], last_ns = pose, t
    ordered = sorted(poses)
    return Trajectory(np.array(ordered, dtype=np.int64), SE3Batch.stack(poses[t] for t in ordered))


def _sweeps(root: Path, log_id: str, rig: Rig, poses: dict[int, SE3]) -> dict[str, tuple[SweepRef, ...]]:
    file = component_file(root, "lidar", log_id)
    if not file.is_file():
        return {}
    table = Component(file, "LiDARComponent")
    found: dict[str, dict[int, SweepRef]] = {name: {} for name in rig.lidars}
    keys = zip(table.whole(LASER).tolist(), table.frames_ns().tolist(), strict=True)
    for row, (laser, timestamp_ns) in enumerate(keys):
        name = sensor_name(LIDARS, laser, file)
        if name not in rig.lidars or timestamp_ns not in poses:
            raise FormatError(file, f"row {row}", f"{name} has no calibration, or the frame no pose")
        if timestamp_ns in found[name]:
            raise FormatError(file, f"row {row}", f"a second sweep of {name} in one frame")
        place = rig.lidars[name].ego_from_sensor
        load = partial(read_sweep, root, log_id, laser, row, timestamp_ns, poses[timestamp_ns], place)
        found[name][timestamp_ns] = SweepRef(name, timestamp_ns, load)
    return {name: tuple(refs.values()) for name, refs in found.items() if refs}


def _images(root: Path, log_id: str, rig: Rig, shots: Shots) -> dict[str, tuple[ImageRef, ...]]:
    file = component_file(root, "camera_image", log_id)
    found: dict[str, list[ImageRef]] = {name: [] for name in rig.cameras}
    for row, (number, middle_ns) in enumerate(
        zip(shots.cameras.tolist(), shots.middles_ns.tolist(), strict=True)
    ):
        name = sensor_name(CAMERAS, number, file)
        if name not in rig.cameras:
            raise FormatError(file, f"row {row}", f"{name} has no calibration")
        load = partial(_read_image, root, log_id, row, rig.cameras[name])
        found[name].append(ImageRef(name, middle_ns, load))
    return {name: tuple(refs) for name, refs in found.items() if refs}


def _read_image(root: Path, log_id: str, row: int, camera: Camera) -> U8:
    table = Component(component_file(root, "camera_image", log_id), "CameraImageComponent")
    column = table.column("image")
    content = table.row(row, [column])[column].as_py()
    if not isinstance(content, bytes) or not 0 < len(content) <= MOST_IMAGE_BYTES:
        raise FormatError(table.path, f"row {row}", "without an image")
    size_px = (camera.model.width_px, camera.model.height_px)
    return decoded_rgb(content, table.path, f"row {row}", size_px)


def _missing(frames_ns: I64, sweeps: dict[str, tuple[SweepRef, ...]]) -> Iterator[MissingFrame]:
    for name, refs in sweeps.items():
        there = {ref.timestamp_ns for ref in refs}
        for timestamp_ns in frames_ns.tolist():
            if timestamp_ns not in there:
                yield MissingFrame(name, timestamp_ns, "no range image of this frame")


def _stats(root: Path, log_id: str) -> dict[str, str]:
    """When and where the segment was driven, as its first frame tells."""
    file = component_file(root, "stats", log_id)
    if not file.is_file():
        return {}
    table = Component(file, "StatsComponent")
    told = {name: table.column(name) for name in ("time_of_day", "location", "weather")}
    values = {name: table.texts(column)[:1] for name, column in told.items() if column in table.names}
    return {name: said[0] for name, said in values.items() if said}
