"""tri3d reads what we write as nuScenes and as Argoverse 2, and finds what we measured and claim.

It wants all seven ring cameras of Argoverse 2, and ids of tracks that begin as a UUID does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from calib import SE3, Rig
from formats.argoverse2 import ARGOVERSE2
from formats.format import Format
from formats.nuscenes import NUSCENES
from fusion import DriveLog, LabelSet
from fusion.align import points_in_ego
from fusion.simulate import SimulationConfig, simulate, visible_only
from tests.clients.told_by_tri3d import AHEAD, Told, told_by_tri3d

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
SIDES = ("front_center", "front_left", "front_right", "rear_left", "rear_right", "side_left", "side_right")
LIDAR = {"NuScenes": "LIDAR_TOP", "Argoverse2": "lidar"}
PER_SECOND = {"NuScenes": 1e6, "Argoverse2": 1e9}


@dataclass(frozen=True)
class Read:
    """A data set as it was written, as we read it, and as tri3d does."""

    kind: str
    log: DriveLog
    labels: LabelSet
    told: Told
    cameras: dict[str, str]

    def theirs_from_ego(self) -> SE3:
        """The frame that it tells everything in.

        Of Argoverse 2 that is the car's own; of nuScenes the LiDAR's, turned so that x looks ahead, as they
        have it to the right.
        """
        lidar = self.log.rig.main_lidar
        assert lidar is not None
        theirs_from_lidar = SE3.from_yaw(-np.pi / 2, (0, 0, 0))
        theirs_from_ego = theirs_from_lidar @ lidar.ego_from_sensor.inverse()
        return SE3.identity() if self.kind == "Argoverse2" else theirs_from_ego


def simulated() -> tuple[DriveLog, LabelSet]:
    """Seven cameras, of which two stand in one place, and ids that are UUIDs."""
    config = replace(SimulationConfig.tiny(), seconds=0.45, azimuth_steps=300, cameras=6)
    log, labels = simulate(replace(config, image_size_px=(160, 90), seed=101))
    cameras, images = cycle(log.rig.cameras.values()), {}
    named = []
    for side in SIDES:
        camera = next(cameras)
        named.append(replace(camera, name=f"ring_{side}"))
        images[f"ring_{side}"] = [replace(ref, camera=f"ring_{side}") for ref in log.images[camera.name]]
    rig = Rig.of(tuple(log.rig.lidars.values()), tuple(named))
    log = replace(log, rig=rig, images={name: tuple(refs) for name, refs in images.items()})
    tracks = [replace(track, id=str(uuid5(NAMESPACE_URL, track.id))) for track in labels.tracks.values()]
    return log, visible_only(log, LabelSet.of(tracks), 1)


@pytest.fixture(scope="module", params=["NuScenes", "Argoverse2"])
def read(
    request: pytest.FixtureRequest,
    client_python: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Read:
    kind, folder = str(request.param), tmp_path_factory.mktemp("tri3d")
    format: Format = NUSCENES if kind == "NuScenes" else ARGOVERSE2
    root = folder / "data" if kind == "NuScenes" else folder / "data" / "sensor" / "val"
    assert format.write is not None and format.open_log is not None and format.read_labels is not None
    format.write(root, [simulated()])
    log = format.open_log(root, format.log_ids(root)[0])
    labels = format.read_labels(root, log)
    if kind == "NuScenes":
        cameras = {n: refs[0].path.parent.name for n, refs in log.images.items() if refs[0].path}
    else:
        cameras = {name: f"cam_{name}" for name in log.rig.cameras}
    part = "v1.0-crosslabel" if kind == "NuScenes" else "val"
    names = [LIDAR[kind]], [*cameras.values()]
    told = told_by_tri3d(client_python, kind, folder / "data", part, *names, folder / "told.npz")
    return Read(kind, log, labels, told, cameras)


def test_its_points_are_ours(read: Read) -> None:
    (lidar,) = read.log.sweeps
    assert len(read.log.sweeps[lidar]) == 4
    for frame, ref in enumerate(read.log.sweeps[lidar]):
        ours = read.theirs_from_ego() @ points_in_ego(read.log, ref.read()).astype(np.float64)
        theirs = read.told[f"points {LIDAR[read.kind]} {frame}"][:, :3]
        assert ours.shape == theirs.shape and len(ours) > 2000
        assert np.abs(ours - theirs).max() < 1e-4
    times_s = read.told[f"times {LIDAR[read.kind]}"] / PER_SECOND[read.kind]
    assert np.abs(times_s - read.log.timestamps_ns / 1e9).max() < 2e-6


def test_its_poses_are_ours(read: Read) -> None:
    for frame, frame_ns in enumerate(read.log.timestamps_ns.tolist()):
        ego_from_theirs = read.theirs_from_ego().inverse()
        ours = read.log.trajectory.at(frame_ns) @ ego_from_theirs @ AHEAD
        assert np.abs(ours - read.told[f"world {LIDAR[read.kind]} {frame}"]).max() < 1e-6


def test_its_cameras_are_ours(read: Read) -> None:
    assert len(read.cameras) == 7
    for name, theirs in read.cameras.items():
        image, camera = read.log.images[name][0], read.log.rig.cameras[name]
        world_from_cam = read.log.trajectory.at(image.timestamp_ns) @ camera.ego_from_sensor
        world_from_ego = read.log.trajectory.at(int(read.log.timestamps_ns[0]))
        ego_from_theirs = read.theirs_from_ego().inverse()
        points_cam = world_from_cam.inverse() @ world_from_ego @ ego_from_theirs @ AHEAD
        assert np.abs(points_cam - read.told[f"cam {theirs}"]).max() < 1e-6
        seen = camera.model.project(points_cam)
        before = seen.depth_m > 0.1
        assert np.abs(seen.uv_px - read.told[f"pixels {theirs}"][:, :2])[before].max(initial=0) < 1e-4
        times_s = read.told[f"times {theirs}"] / PER_SECOND[read.kind]
        assert np.abs(times_s - [ref.timestamp_ns / 1e9 for ref in read.log.images[name]]).max() < 2e-6
        assert np.abs(read.log.images[name][1].read().astype(int) - read.told[f"image {theirs}"]).max() <= 1


def test_its_boxes_are_ours(read: Read) -> None:
    told, theirs_from_ego = read.told, read.theirs_from_ego()
    assert len(told["ids"]) == read.labels.annotation_count > 20
    compared = 0
    for frame, frame_ns in enumerate(read.log.timestamps_ns.tolist()):
        rows = np.flatnonzero(told["frames"] == frame)
        boxes = [annotation.box for _, annotation in read.labels.at(frame_ns)]
        centers = [theirs_from_ego @ box.center for box in boxes]
        assert len(rows) == len(boxes)
        for box, center in zip(boxes, centers, strict=True):
            row = rows[np.argmin(np.linalg.norm(told["centers"][rows] - center, axis=1))]
            assert np.abs(told["centers"][row] - center).max() < 1e-6
            assert np.abs(told["sizes"][row] - box.size_lwh_m).max() < 1e-9
            theirs_from_box = theirs_from_ego @ box.ego_from_box
            turn_rad = told["headings"][row] - theirs_from_box.yaw_rad
            assert abs((turn_rad + np.pi) % (2 * np.pi) - np.pi) < 1e-6
            compared += 1
    assert compared == read.labels.annotation_count
