"""Rerun's own program takes our recordings for sound, and what they hold lies where it should."""

import pickle
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from formats.rerun import RERUN
from fusion import DriveLog, LabelSet
from fusion.align import cloud_in_image, read_deskewed
from fusion.boxes import UNIT_CORNERS
from fusion.simulate import SimulationConfig, simulate

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
CHECKER = Path(__file__).parent / "rerun_checker.py"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def pair() -> tuple[DriveLog, LabelSet]:
    return simulate(replace(SimulationConfig.tiny(), seconds=0.5, cameras=2))


@pytest.fixture(scope="module")
def rows(
    pair: tuple[DriveLog, LabelSet],
    client_python: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Rows:
    pytest.importorskip("rerun", reason="the extra `rerun` is not installed")
    root, out = tmp_path_factory.mktemp("rerun") / "out", tmp_path_factory.mktemp("report") / "told.pkl"
    RERUN.write(root, [pair])
    (file,) = root.iterdir()
    done = subprocess.run([client_python("rerun"), CHECKER, file, out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    told = pickle.loads(out.read_bytes())
    assert told["verified"] == 0 and "without error" in told["words"]
    return told["rows"]


def of(rows: Rows, entity: str, field: str) -> Rows:
    return [row for row in rows if row["entity"] == entity and row.get(field) is not None]


def placed(row: dict[str, Any], points: np.ndarray) -> np.ndarray:
    """Points of an entity in Rerun's world; its quaternions are x y z w, as SciPy's."""
    turn = Rotation.from_quat(row["Transform3D:quaternion"][0])
    return turn.apply(points) + row["Transform3D:translation"][0]


def origin(log: DriveLog) -> np.ndarray:
    return log.trajectory.world_from_ego[0].translation


def test_boxes_are_where_they_should_be(rows: Rows, pair: tuple[DriveLog, LabelSet]) -> None:
    log, labels = pair
    frames = of(rows, "/world/boxes", "Boxes3D:centers")
    assert [row["time"] for row in frames] == log.timestamps_ns.tolist()
    assert [row["frame"] for row in frames] == list(range(len(log)))
    compared = 0
    for row in frames:
        here = [*labels.at(row["time"])]
        assert row["track_id"] == [track.id for track, _ in here]
        for k, (_, annotation) in enumerate(here):
            turn = Rotation.from_quat(row["Boxes3D:quaternions"][k])
            corners = turn.apply(UNIT_CORNERS * 2 * row["Boxes3D:half_sizes"][k]) + row["Boxes3D:centers"][k]
            truth = log.trajectory.at(row["time"]) @ annotation.box.corners() - origin(log)
            assert np.abs(corners - truth).max() < 1e-4
            compared += 1
    assert compared > 50
    (context,) = of(rows, "/world/boxes", "AnnotationContext:context")
    named = {entry["class_id"] for entry in context["AnnotationContext:context"][0]}
    assert named == set(range(len({track.category for track in labels.tracks.values()})))


def test_clouds_are_where_they_should_be(rows: Rows, pair: tuple[DriveLog, LabelSet]) -> None:
    log, _ = pair
    for name, refs in log.sweeps.items():
        told = {row["time"]: row for row in of(rows, f"/world/lidars/{name}", "Points3D:positions")}
        for ref in refs:
            sweep, row = read_deskewed(log, ref), told[ref.timestamp_ns]
            world_from_lidar = log.trajectory.at(ref.timestamp_ns) @ log.rig.lidars[name].ego_from_sensor
            truth = world_from_lidar @ sweep.points.astype(np.float64) - origin(log)
            assert np.abs(placed(row, row["Points3D:positions"]) - truth).max() < 1e-4


def test_clouds_fall_into_images_where_ours_do(rows: Rows, pair: tuple[DriveLog, LabelSet]) -> None:
    """Through its pinhole, whose pixels count from the corner of the first."""
    log, _ = pair
    lidar = log.rig.main_lidar
    assert lidar is not None
    (cloud,) = of(rows, f"/world/lidars/{lidar.name}", "Points3D:positions")[1:2]
    points = placed(cloud, cloud["Points3D:positions"])
    for name, camera in log.rig.cameras.items():
        (lens,) = of(rows, f"/world/cameras/{name}", "Pinhole:image_from_camera")
        matrix = lens["Pinhole:image_from_camera"][0].reshape(3, 3).T
        shots = of(rows, f"/world/cameras/{name}", "EncodedImage:blob")
        assert [row["time"] for row in shots] == [ref.timestamp_ns for ref in log.images[name]]
        pixels = cv2.imdecode(np.frombuffer(shots[0]["EncodedImage:blob"], np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape[:2] == (camera.model.height_px, camera.model.width_px)
        shot = min(shots, key=lambda row: abs(row["time"] - cloud["time"]))
        turn = Rotation.from_quat(shot["Transform3D:quaternion"][0])
        in_cam = turn.inv().apply(points - shot["Transform3D:translation"][0])
        uv_px = (in_cam @ matrix.T)[:, :2] / in_cam[:, 2:] - 0.5
        plain = replace(camera, model=camera.model.plain, readout_ns=0)
        still = replace(log, rig=replace(log.rig, cameras={**log.rig.cameras, name: plain}))
        image = log.image_near(name, shot["time"], 0)
        assert image is not None
        ours = cloud_in_image(still, log.sweeps[lidar.name][1].read(), image)
        assert len(ours.index) > 50 and np.abs(uv_px[ours.index] - ours.uv_px).max() < 0.05
