"""Vicomtech's VCD, a library for OpenLABEL by authors of the standard, reads what we write."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.openlabel import OPENLABEL
from formats.pandaset import PANDASET
from fusion import DriveLog, LabelSet
from fusion.simulate import SimulationConfig, simulate

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
CHECKER = Path(__file__).parent / "vcd_checker.py"
Read = tuple[DriveLog, LabelSet, dict[str, Any]]


@pytest.fixture(scope="module", params=["pandaset", "simulated"])
def read(
    request: pytest.FixtureRequest,
    client_python: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Read:
    python = client_python("vcd")
    if request.param == "pandaset":
        path = request.getfixturevalue("shared_data") / "pandaset"
        log = PANDASET.open_log(path, "002")
        labels = PANDASET.read_labels(path, log)
        tracks = sorted(labels.tracks.values(), key=lambda track: -len(track.annotations))[:20]
        labels = LabelSet.of(tracks)
    else:
        log, labels = simulate(replace(SimulationConfig.tiny(), seconds=0.5, cameras=3))
    file = tmp_path_factory.mktemp("openlabel") / "log.json"
    assert OPENLABEL.write_labels is not None
    OPENLABEL.write_labels(file, log, labels)
    done = subprocess.run([python, CHECKER, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return log, labels, json.loads(done.stdout)


def test_it_finds_every_object_and_every_box(read: Read) -> None:
    _, labels, report = read
    assert {name: entry["type"] for name, entry in report["objects"].items()} == {
        track.id: track.category for track in labels.tracks.values()
    }
    found = sum(len(entry["corners"]) for entry in report["objects"].values())
    assert found == labels.annotation_count > 100


def test_its_corners_are_ours(read: Read) -> None:
    log, labels, report = read
    for id, entry in report["objects"].items():
        for number, theirs in entry["corners"].items():
            ours = labels.tracks[id].annotations[report["instants"][int(number)]].box.corners()
            apart_m = np.linalg.norm(ours[:, None] - np.array(theirs)[None], axis=2)
            assert apart_m.min(axis=0).max() < 1e-9 and apart_m.min(axis=1).max() < 1e-9
    assert report["instants"] == log.timestamps_ns.tolist()


def test_its_transforms_are_ours(read: Read) -> None:
    log, _, report = read
    for t, theirs in zip(report["instants"], report["world_from_ego"], strict=True):
        assert np.abs(log.trajectory.at(t).matrix - theirs).max() < 1e-9
    assert set(report["ego_from_camera"]) == set(log.rig.cameras)
    for name, theirs in report["ego_from_camera"].items():
        assert np.abs(log.rig.cameras[name].ego_from_sensor.matrix - theirs).max() < 1e-9


def test_its_pixels_are_ours(read: Read) -> None:
    """Through the lens distortion of every camera; of boxes that lie in the image altogether."""
    log, _, report = read
    compared = 0
    for entry in report["objects"].values():
        for name, by_frame in entry["pixels"].items():
            camera = log.rig.cameras[name]
            for number, theirs in by_frame.items():
                corners = np.array(entry["corners"][number])
                seen = camera.model.project(camera.ego_from_sensor.inverse() @ corners)
                if not (seen.visible.all() and theirs):
                    continue
                assert np.abs(seen.uv_px - theirs).max() < 1e-3
                compared += 1
    assert compared > 20
