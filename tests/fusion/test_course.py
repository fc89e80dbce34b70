"""Where tracks are between their annotations."""

import numpy as np
import pytest

from fusion.course import Course
from fusion.labels import Track
from fusion.simulate import SimulationConfig, simulate


@pytest.fixture(scope="module")
def drive():
    return simulate(SimulationConfig(seconds=1.0, cameras=1, rings=16, azimuth_steps=300))


def test_it_moves_as_the_simulated_ones_do(drive) -> None:
    log, labels = drive
    instants_ns = log.timestamps_ns[2:-2] + 31_000_000
    for track in labels.tracks.values():
        if len(track.annotations) < len(log):
            continue
        course = Course.of(log, track)
        known, boxes, velocities = course.at(instants_ns)
        before, now, after = (
            course.at(instants_ns + d)[1].dst_from_box.translations for d in (-5_000_000, 0, 5_000_000)
        )
        assert known.all()
        np.testing.assert_allclose(boxes.dst_from_box.translations, now)
        np.testing.assert_allclose((after - before) / 0.01, velocities, atol=0.6)


def test_gaps_and_far_ends_are_not_known(drive) -> None:
    log, labels = drive
    track = max(labels.tracks.values(), key=lambda each: len(each.annotations))
    holey = track.without(log.timestamps_ns[1:9].tolist())
    known, _, _ = Course.of(log, holey).at(log.timestamps_ns)
    assert known[0]
    assert not known[4]
    assert not Course.of(log, holey).at([log.trajectory.end_ns + 10**9])[0].any()


def test_no_annotations_no_place(drive) -> None:
    log, _ = drive
    known, boxes, velocities = Course.of(log, Track("a", "car")).at(log.timestamps_ns)
    assert not known.any()
    assert len(boxes) == len(velocities) == 0
