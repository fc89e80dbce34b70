"""Real labels in 3D and 2D, whose rig and clock are right until they are made wrong."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, Rig
from fusion.checks.blame import Culprit, judge, views_of
from fusion.checks.evidence import evidence_in


@pytest.fixture(scope="module")
def kitti(shared_data):
    from formats.registry import find_format

    path = shared_data / "kitti_tracking"
    source = find_format(path)
    log = source.open_log(path, "0002")
    log = replace(log, trajectory=source.read_poses(path / "poses_orbslam3", log))
    labels = source.read_labels(path, log)
    return log, labels, [replace(told, track_ids=None) for told in evidence_in(labels)]


def judged(log, labels, evidence):
    return judge(log, labels, evidence, views_of(log, labels, evidence)).cameras["image_02"]


def test_nothing_is_wrong_with_it(kitti) -> None:
    blame = judged(*kitti)
    assert blame.culprit is Culprit.NONE
    assert blame.objects >= 10


def test_a_turn_of_a_third_of_a_degree(kitti) -> None:
    log, labels, evidence = kitti
    sensor = log.rig.cameras["image_02"]
    given_cam_from_cam = SE3.from_rotation_vector(np.radians([0.0, -0.3, 0.0]))
    wrong = replace(sensor, ego_from_sensor=sensor.ego_from_sensor @ given_cam_from_cam)
    turned = replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), (wrong,)))
    blame = judged(turned, labels, evidence)
    assert blame.culprit is Culprit.CALIBRATION
    np.testing.assert_allclose(np.degrees(blame.rotation_rad), [0.0, -0.3, 0.0], atol=0.08)
    assert "further right" in blame.words


def test_a_clock_that_is_a_fiftieth_of_a_second_late(kitti) -> None:
    log, labels, evidence = kitti
    late = [replace(told, timestamp_ns=told.timestamp_ns + 20_000_000) for told in evidence]
    blame = judged(log, labels, late)
    assert blame.culprit is Culprit.CLOCK
    assert blame.offset_ns / 1e6 == pytest.approx(-20.0, abs=6.0)
