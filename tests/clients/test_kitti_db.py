"""The KITTI reader of nuscenes-devkit reads our trees of the object benchmark."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.kitti_object import KITTI_OBJECT
from fusion import DriveLog, LabelSet
from fusion.simulate import SimulationConfig, simulate

pytestmark = pytest.mark.clients
CHECKER = Path(__file__).parent / "kitti_db_checker.py"
Read = tuple[DriveLog, LabelSet, dict[str, Any]]


@pytest.fixture(scope="module")
def read(client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Read:
    python = client_python("nuscenes")
    root = tmp_path_factory.mktemp("object") / "data"
    log, truth = simulate(replace(SimulationConfig.tiny(), seconds=0.6, vehicles=12))
    assert KITTI_OBJECT.write and KITTI_OBJECT.open_log and KITTI_OBJECT.read_labels
    KITTI_OBJECT.write(root, [(log, truth)])
    back = KITTI_OBJECT.open_log(root, "training")
    done = subprocess.run([python, CHECKER, root], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return back, KITTI_OBJECT.read_labels(root, back), json.loads(done.stdout)


def test_its_boxes_are_ours(read: Read) -> None:
    """It reads the calibration as float32, hence millimetres."""
    log, labels, report = read
    compared = 0
    for number, t in enumerate(log.timestamps_ns.tolist()):
        found = report[f"training_{number:06d}"]
        ours = [(track, a) for track, a in labels.at(t) if track.category != "Misc"]
        assert [track.category for track, _ in ours] == found["names"] == found["names_2d"]
        for (track, annotation), corners, rectangle in zip(
            ours, found["corners"], found["rectangles"], strict=True
        ):
            apart_m = np.linalg.norm(annotation.box.corners()[:, None] - np.array(corners)[None], axis=2)
            assert apart_m.min(axis=0).max() < 5e-3 and apart_m.min(axis=1).max() < 5e-3
            front_m = np.array(corners)[:4].mean(axis=0) - annotation.box.corners()[:4].mean(axis=0)
            assert np.abs(front_m).max() < 5e-3
            box = track.image_boxes["image_02", t]
            assert rectangle == [box.left_px, box.top_px, box.right_px, box.bottom_px]
            compared += 1
    assert compared > 30


def test_its_points_are_ours(read: Read) -> None:
    log, _, report = read
    for number, ref in enumerate(log.sweeps["velodyne"]):
        total = ref.read().points.astype(np.float64).sum(axis=0)
        assert np.allclose(total, report[f"training_{number:06d}"]["points"], atol=1e-3)
    camera = log.rig.cameras["image_02"]
    assert report["training_000000"]["focal"] == pytest.approx(camera.model.plain.fx_px, rel=1e-6)
