"""av2 opens what we write as Argoverse 2, and agrees with us about everything in it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from formats.argoverse2 import ARGOVERSE2
from formats.pandaset import PANDASET
from fusion import DriveLog, LabelSet
from fusion.align import cloud_in_image, points_in_ego
from fusion.simulate import SimulationConfig, simulate

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
CHECKER = Path(__file__).parent / "argoverse2_checker.py"
REAL = "7fab2350-7eaf-3b7e-a39d-6937a4c1bede"


@dataclass(frozen=True)
class Checked:
    """An export beside what av2 said of it."""

    log: DriveLog
    back: DriveLog
    labels: LabelSet
    report: dict[str, Any]
    arrays: dict[str, np.ndarray]


def simulated() -> tuple[DriveLog, LabelSet]:
    small = SimulationConfig.tiny()
    return simulate(replace(small, seconds=0.8, azimuth_steps=900, cameras=3, image_size_px=(320, 180)))


def pandaset(folder: Path) -> tuple[DriveLog, LabelSet]:
    """The first frames of the real log."""
    log = PANDASET.open_log(folder, "002")
    labels = PANDASET.read_labels(folder, log)
    first_ns = set(log.timestamps_ns[:4].tolist())
    last_ns = max(first_ns)
    tracks = [t.without(set(t.annotations) - first_ns) for t in labels.tracks.values()]
    early = replace(
        log,
        timestamps_ns=log.timestamps_ns[:4],
        sweeps={n: tuple(r for r in refs if r.timestamp_ns <= last_ns) for n, refs in log.sweeps.items()},
        images={n: refs[:4] for n, refs in log.images.items()},
    )
    return early, LabelSet.of(track for track in tracks if track.annotations)


@pytest.fixture(scope="module", params=["simulated", "pandaset", "argoverse2"])
def checked(
    request: pytest.FixtureRequest,
    client_python: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Checked:
    python = client_python("argoverse2")
    if request.param == "simulated":
        log, labels = simulated()
    else:
        shared = request.getfixturevalue("shared_data") / request.param
        log = ARGOVERSE2.open_log(shared, REAL) if request.param == "argoverse2" else None
        log, labels = (log, ARGOVERSE2.read_labels(shared, log)) if log else pandaset(shared)
    root, out = tmp_path_factory.mktemp("export") / "val", tmp_path_factory.mktemp("report")
    ARGOVERSE2.write(root, [(log, labels)])
    done = subprocess.run([python, CHECKER, root, log.name, out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads((out / "report.json").read_text())
    with np.load(out / "arrays.npz") as arrays:
        return Checked(log, ARGOVERSE2.open_log(root, log.name), labels, report, dict(arrays))


def test_its_cuboids_are_ours(checked: Checked) -> None:
    boxes = sorted(
        (t, order, annotation.box)
        for order, track in enumerate(checked.labels.tracks.values())
        for t, annotation in track.annotations.items()
    )
    ours = np.array([box.corners() for _, _, box in boxes])
    theirs = checked.arrays["vertices"]
    assert ours.shape == theirs.shape and len(ours) > 50
    assert np.abs(np.sort(ours, axis=1) - np.sort(theirs, axis=1)).max() < 1e-9


def test_its_poses_are_ours(checked: Checked) -> None:
    world_from_ego = checked.log.trajectory.at_many(checked.arrays["pose_times"])
    matrices = checked.arrays["poses"]
    assert np.abs(world_from_ego.translations - matrices[:, :3, 3]).max() < 1e-9
    assert np.abs(world_from_ego.rotations - matrices[:, :3, :3]).max() < 1e-9
    main = checked.log.rig.main_lidar
    assert main is not None
    assert np.allclose(checked.report["lidars"]["up"], main.ego_from_sensor.matrix, atol=1e-9)


def test_its_points_are_ours(checked: Checked) -> None:
    first_ns = checked.report["sweeps"][0]
    refs = [checked.back.sweep_at(first_ns, name) for name in checked.back.rig.lidars]
    sweeps = [ref.read() for ref in refs if ref is not None]
    ours = np.concatenate([points_in_ego(checked.back, sweep) for sweep in sweeps])
    assert np.abs(checked.arrays["points"] - ours).max() < 1e-4
    counts = np.array(checked.report["interior"])
    # It compares in other arithmetic: a point on a face may fall on either side.
    assert (counts[:, 0] == counts[:, 1]).mean() > 0.98 and np.abs(np.diff(counts)).max() <= 2


def test_its_projection_is_ours(checked: Checked) -> None:
    for camera, told in checked.report["cameras"].items():
        model = checked.back.rig.cameras[camera].model
        assert told["shape"][:2] == [model.height_px, model.width_px]
        image = checked.back.image_near(camera, told["shot"], 0)
        global_shutter = replace(checked.back.rig.cameras[camera], readout_ns=0)
        cameras = {**checked.back.rig.cameras, camera: global_shutter}
        log = replace(checked.back, rig=replace(checked.back.rig, cameras=cameras))
        refs = [log.sweep_at(told["sweep"], name) for name in log.rig.lidars]
        assert image is not None
        ours = np.concatenate([cloud_in_image(log, r.read(), image).uv_px for r in refs if r])
        theirs = checked.arrays[f"uv {camera}"]
        off_px, _ = cKDTree(ours).query(theirs[:, :2])
        assert len(theirs) > 50 and off_px.max() < 0.05
    assert checked.report["cameras"] or not checked.log.images


def test_labels_are_perfect_detections_of_themselves(checked: Checked) -> None:
    precision = checked.report["average_precision"]
    assert len(precision) >= 2
    assert all(value == pytest.approx(1.0) for value in precision.values()), precision
