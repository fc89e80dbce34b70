"""The nuscenes-devkit finds radars, lidarseg and panoptic in what came from nuScenes as it did before."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib import SE3
from formats.nuscenes import NUSCENES
from fusion import Annotation, LabelSet, Track
from tests.formats.nuscenes_more import CLASSES, VERSION, make_nuscenes_with_more

pytestmark = pytest.mark.clients
Told = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
CHECKER = Path(__file__).parent / "nuscenes_more_checker.py"


@pytest.fixture(scope="module")
def told(client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What it says of a data set, of the same converted twice, and with other labels put into it."""
    folder = tmp_path_factory.mktemp("more")
    make_nuscenes_with_more(folder / "before")
    for source, out, version in (("before", "between", "v1.0-between"), ("between", "after", VERSION)):
        (name,) = NUSCENES.log_ids(folder / source)
        log = NUSCENES.open_log(folder / source, name)
        labels = NUSCENES.read_labels(folder / source, log)
        NUSCENES.write(folder / out, [(log, labels)], version=version)
    shutil.copytree(folder / "before", folder / "relabelled")
    log = NUSCENES.open_log(folder / "relabelled", name)
    labels = NUSCENES.read_labels(folder / "relabelled", log)
    NUSCENES.write_labels(folder / "relabelled", log, half_a_metre_higher(labels))
    said = []
    for name in ("before", "after", "relabelled"):
        command = [client_python("nuscenes"), CHECKER, folder / name, VERSION]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        said.append(json.loads(done.stdout))
    return said[0], said[1], said[2]


def half_a_metre_higher(labels: LabelSet) -> LabelSet:
    def raised(annotation: Annotation) -> Annotation:
        place = SE3(np.eye(3), (0, 0, 0.5)) @ annotation.box.ego_from_box
        return replace(annotation, box=replace(annotation.box, ego_from_box=place))

    return LabelSet.of(
        Track.of(track.id, track.category, map(raised, track.annotations.values()))
        for track in labels.tracks.values()
    )


def test_radars_are_as_they_were(told: Told) -> None:
    before, after, relabelled = told
    assert after["radar"] == before["radar"] == relabelled["radar"] and len(after["radar"]) > 3
    assert {key for _, key, _, _ in after["radar"]} == {True, False}
    assert after["multisweep"] == before["multisweep"] and len(after["multisweep"][1]) == 3


def test_classes_of_points_are_as_they_were(told: Told) -> None:
    before, after, relabelled = told
    assert after["points"] == before["points"] == relabelled["points"] and len(after["points"]) == 3
    for cloud, classes, instances, counts in after["points"]:
        assert cloud == classes == instances == sum(counts) > 100
    assert after["classes"] == {str(number): name for number, name in enumerate(CLASSES)}
    assert after["lists"] == before["lists"] == relabelled["lists"] and len(after["lists"]) > len(CLASSES)


def test_the_map_is_as_it_was(told: Told) -> None:
    before, after, relabelled = told
    assert after["map"] == before["map"] == relabelled["map"] and before["map"][0] > 0


def test_its_boxes_are_ours(told: Told) -> None:
    before, after, relabelled = told
    for said in told:
        assert len(said["boxes"]) > 20 and all(counted == inside for *_, counted, inside in said["boxes"])
    for old, new in zip(before["boxes"], after["boxes"], strict=True):
        assert (new[1:3], new[4:]) == (old[1:3], old[4:])
        assert np.abs(np.subtract(new[3], old[3])).max() < 1e-9
    there, raised = (sorted(each["boxes"], key=lambda box: box[:2]) for each in (before, relabelled))
    for old, new in zip(there, raised, strict=True):
        assert new[:3] == old[:3]
        # The car leans a little.
        assert np.linalg.norm(np.subtract(new[3], old[3])) == pytest.approx(0.5, abs=1e-9)
        assert new[3][2] - old[3][2] > 0.499
