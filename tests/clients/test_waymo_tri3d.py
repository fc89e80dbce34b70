"""tri3d reads a made segment of Waymo Open v2 as we do: points, places, boxes and images.

It turns points by the roll of the car with a sign that is off, so the car here does not roll.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from formats.waymo import WAYMO
from fusion import DriveLog
from fusion.align import points_in_ego
from tests.clients.told_by_tri3d import AHEAD, Told, told_by_tri3d
from tests.formats import waymo_segment as made

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
LIDARS, CAMERAS = ("LIDAR_TOP", "LIDAR_FRONT"), ("CAM_FRONT", "CAM_SIDE_LEFT")
SEGMENTATIONS = {"lidar_segmentation": "key.laser_name", "camera_segmentation": "key.camera_name"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segment with the empty components that tri3d asks for."""
    root = tmp_path_factory.mktemp("waymo")
    made.make_waymo(root / "training")
    for name, key in SEGMENTATIONS.items():
        (root / "training" / name).mkdir()
        none = {"key.frame_timestamp_micros": pa.array([], pa.int64()), key: pa.array([], pa.int8())}
        parquet.write_table(pa.table(none), root / "training" / name / f"{made.SEGMENT}.parquet")
    return root


@pytest.fixture(scope="module")
def told(root: Path, client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Told:
    out = tmp_path_factory.mktemp("report") / "told.npz"
    return told_by_tri3d(client_python, "Waymo", root, "training", LIDARS, CAMERAS, out)


@pytest.fixture(scope="module")
def log(root: Path) -> DriveLog:
    return WAYMO.open_log(root, made.SEGMENT)


@pytest.mark.parametrize("lidar", LIDARS)
def test_its_points_are_ours(told: Told, log: DriveLog, lidar: str) -> None:
    for frame, ref in enumerate(log.sweeps[lidar]):
        ours, theirs = points_in_ego(log, ref.read()), told[f"points {lidar} {frame}"]
        assert ours.shape == theirs.shape and len(ours) > 5000
        assert np.abs(ours - theirs).max() < 2e-3
    # It moves the instant of a sweep to its middle.
    assert np.abs(told[f"times {lidar}"] - 0.05 - log.timestamps_ns / 1e9).max() < 1e-6


@pytest.mark.parametrize("camera", CAMERAS)
def test_its_cameras_are_ours(told: Told, log: DriveLog, camera: str) -> None:
    image = log.images[camera][0]
    world_from_cam = log.trajectory.at(image.timestamp_ns) @ log.rig.cameras[camera].ego_from_sensor
    world_from_ego = log.trajectory.at(int(log.timestamps_ns[0]))
    ours = world_from_cam.inverse() @ (world_from_ego @ AHEAD)
    assert np.abs(ours - told[f"cam {camera}"]).max() < 1e-3
    assert np.abs(told[f"times {camera}"] * 1e9 - [r.timestamp_ns for r in log.images[camera]]).max() < 1000
    apart = log.images[camera][1].read().astype(int) - told[f"image {camera}"]
    assert np.abs(apart).max() <= 1


def test_its_boxes_are_ours(told: Told, root: Path, log: DriveLog) -> None:
    labels = WAYMO.read_labels(root, log)
    assert len(told["ids"]) == labels.annotation_count
    for row, (frame, id) in enumerate(zip(told["frames"], told["ids"], strict=True)):
        track = labels.tracks[str(id)]
        box = track.annotations[int(log.timestamps_ns[frame])].box
        assert track.category == told["labels"][row]
        assert np.allclose(box.center, told["centers"][row], atol=1e-9)
        assert np.allclose(box.size_lwh_m, told["sizes"][row], atol=1e-9)
        assert box.yaw_rad == pytest.approx(float(told["headings"][row]))
