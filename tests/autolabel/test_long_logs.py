"""What is held of a drive does not grow with its length; a drive of half an hour is in the benchmarks."""

import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel.detect import PlainDetector
from autolabel.detect.config import DetectConfig
from autolabel.detect.detector import stretch_of
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from fusion import DriveLog
from fusion.simulate import Drive, SimulationConfig

MOST_BYTES_A_FRAME = 6_000


@pytest.fixture(scope="module")
def log() -> DriveLog:
    config = SimulationConfig("long", 1, 0, 12.0, rings=16, azimuth_steps=300, cameras=0)
    return Drive(replace(config, vehicles=6, pedestrians=4)).log()


def test_a_scan_lies_on_disk_with_its_ground(log: DriveLog) -> None:
    scans = Scans(LocalWorld.of(log))
    first = scans.at(0)  # what is loaded once
    assert first is not None
    gc.collect()
    tracemalloc.start()
    for frame in range(1, len(scans)):
        scans.at(frame)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / len(scans) < MOST_BYTES_A_FRAME
    again = scans.at(0)
    assert again is not None
    np.testing.assert_array_equal(again.ground.heights_m, first.ground.heights_m)
    np.testing.assert_array_equal(again.points, first.points)
    ground = scans.grounds[int(scans.frames_ns[5])]
    fifth = scans.at(5)
    assert fifth is not None
    np.testing.assert_array_equal(ground.heights_m, fifth.ground.heights_m)
    assert len(scans.grounds) == len(scans) and 17 not in scans.grounds


def test_some_frames_are_as_a_log_of_their_own(log: DriveLog) -> None:
    scans = Scans(LocalWorld.of(log))
    some = scans.of(range(20, 50))
    assert len(some) == 30 and (some.frames_ns == scans.frames_ns[20:50]).all()
    assert [scan.frame for scan in some] == list(range(30))
    one, same = some.at(7), scans.at(27)
    assert one is not None and same is not None
    np.testing.assert_array_equal(one.points, same.points)


@given(st.integers(1, 5000), st.integers(30, 900), st.data())
def test_stretches_hold_every_frame_well_inside_and_are_never_long(
    count: int, length: int, data: st.DataObject
) -> None:
    frame = data.draw(st.integers(0, count - 1))
    frames = stretch_of(frame, count, length)
    assert frame in frames and frames.start >= 0 and frames.stop <= count
    assert len(frames) <= 1.5 * length + 2 * (length // 6) + 2
    for end, reached in (
        (frame - frames.start, frames.start > 0),
        (frames.stop - frame, frames.stop < count),
    ):
        assert not reached or end >= length // 6
    if count < 1.5 * length:
        assert frames == range(count)


def test_a_drive_in_stretches_shows_what_it_shows_as_a_whole(log: DriveLog) -> None:
    """Most of it: what is seen at the ends of stretches is seen for a shorter time."""
    scans = Scans(LocalWorld.of(log))
    whole = PlainDetector()
    parts = PlainDetector(DetectConfig(survey_frames=60))
    found = shared = 0
    for frame in range(0, len(scans), 7):
        one, other = whole.detect(scans, frame).boxes, parts.detect(scans, frame).boxes
        places = other.dst_from_box.translations
        for place in one.dst_from_box.translations:
            found += 1
            shared += bool(len(places)) and bool(np.linalg.norm(places - place, axis=1).min() < 0.7)
    assert found > 30 and shared > 0.7 * found
