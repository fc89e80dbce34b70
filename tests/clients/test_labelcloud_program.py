"""labelCloud's own classes read what we write in its three formats, and we read what they save."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from formats.labelcloud import LABELCLOUD
from formats.labelcloud.boxes import KINDS
from formats.sustech import SUSTECHPOINTS

pytestmark = [pytest.mark.clients, pytest.mark.heavy]
CHECKER = Path(__file__).parent / "labelcloud_checker.py"


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_our_boxes_and_we_read_its(
    client_python: Callable[[str], Path], shared_data: Path, tmp_path: Path, kind: str
) -> None:
    python = client_python("labelcloud")
    assert (
        SUSTECHPOINTS.open_log and SUSTECHPOINTS.read_labels and LABELCLOUD.write and LABELCLOUD.read_labels
    )
    path = shared_data / "sustechpoints"
    log = SUSTECHPOINTS.open_log(path, "sustechpoints")
    labels = SUSTECHPOINTS.read_labels(path, log)
    LABELCLOUD.write(tmp_path / "out", [(log, labels)], boxes=kind)
    folder = tmp_path / "out" / "sustechpoints"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([python, CHECKER], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["classes"] == sorted({track.category for track in labels.tracks.values()})
    lidar_from_ego = log.rig.lidars["lidar"].ego_from_sensor.inverse()
    compared = 0
    for t, name in zip(log.timestamps_ns.tolist(), ("000965", "000970", "000975"), strict=True):
        ours = [*labels.at(t)]
        assert [track.category for track, _ in ours] == [entry[0] for entry in report["found"][name]]
        for (_, annotation), (_, theirs) in zip(ours, report["found"][name], strict=True):
            corners = lidar_from_ego @ annotation.box.corners()
            apart_m = np.linalg.norm(corners[:, None] - np.array(theirs)[None], axis=2)
            assert max(apart_m.min(axis=0).max(), apart_m.min(axis=1).max()) < 1e-6
            compared += 1
    assert compared == labels.annotation_count == 68
    again = LABELCLOUD.read_labels(tmp_path / "out", log)
    places = {t: np.array([a.box.corners() for _, a in again.at(t)]) for t in log.timestamps_ns.tolist()}
    for t, found in places.items():
        before = np.array([annotation.box.corners() for _, annotation in labels.at(t)])
        assert np.abs(found - before).max() < 1e-6
