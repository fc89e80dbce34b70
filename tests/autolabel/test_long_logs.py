"""What is held of a drive does not grow with its length; a drive of half an hour is in the benchmarks."""

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel.detect import PlainDetector
from autolabel.detect.config import DetectConfig
from autolabel.detect.detector import stretch_of
from autolabel.detect.headings import ALONG_RAD, BESIDE_M, CENTRE_LINE_M, _with_traffic
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib import SE3
from calib.types import F64
from fusion import Annotation, Box3D, DriveLog, LabelSet, Track
from fusion.boxes import Boxes
from fusion.edits import Group, PutTrack
from fusion.simulate import Drive, SimulationConfig
from fusion.store import LabelStore

MOST_BYTES_A_FRAME = 6_000
MOST_BYTES_A_BOX_STORED = 650


@pytest.fixture(scope="module")
def log() -> DriveLog:
    config = SimulationConfig("long", 1, 0, 12.0, rings=16, azimuth_steps=300, cameras=0)
    return Drive(replace(config, vehicles=6, pedestrians=4)).log()


def test_a_scan_of_a_long_log_lies_on_disk_with_its_ground(
    log: DriveLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autolabel.scans.ROOM_BYTES", len(log) * 100_000)
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


def side_of(box: Box3D, road: F64, right_hand: bool) -> float:
    """What `_with_traffic` says of one box, from the way to every place of the road."""
    out = box.center[:2] - road[:, :2]
    nearest = int(np.argmin(np.hypot(*out.T)))
    ahead = np.array([np.cos(box.yaw_rad), np.sin(box.yaw_rad)])
    x, y = road[nearest, 2:]
    same, left = float(road[nearest, 2:] @ ahead), float(x * out[nearest, 1] - y * out[nearest, 0])
    if np.hypot(*out[nearest]) >= BESIDE_M or abs(same) <= np.cos(ALONG_RAD):
        return 0.0
    own = left < CENTRE_LINE_M if right_hand else left > -CENTRE_LINE_M
    return float(np.sign(same)) if own else -float(np.sign(same))


@pytest.mark.parametrize("right_hand", [True, False])
def test_the_side_of_a_long_road_is_told_without_all_of_its_places(right_hand: bool) -> None:
    random = np.random.default_rng(3)
    way_m = np.arange(30_000.0)
    yaws = np.sin(way_m / 300)
    road = np.column_stack([np.cumsum(np.cos(yaws)), np.cumsum(np.sin(yaws)), np.cos(yaws), np.sin(yaws)])
    at = road[random.integers(0, len(road), 300), :2] + random.normal(0, 12, (300, 2))
    boxes = [
        Box3D.upright((*place, 1.0), (4, 2, 1.5), yaw)
        for place, yaw in zip(at, random.normal(0, 2, 300), strict=True)
    ]
    stacked = Boxes.stack(boxes)
    ahead = stacked.dst_from_box.rotations[:, :2, 0]
    _with_traffic(stacked, road, ahead, right_hand)  # what is loaded once
    tracemalloc.start()
    told = _with_traffic(stacked, road, ahead, right_hand)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(told, [side_of(box, road, right_hand) for box in boxes])
    assert set(told.tolist()) == {-1.0, 0.0, 1.0}
    assert peak < 10 * road.nbytes  # all ways from all boxes are 450 times as much


def test_storing_a_drive_holds_little_more_than_its_journal(tmp_path: Path) -> None:
    """Rows are written some at a time; what is left is the text of the edit, twice."""
    random, tracks, boxes = np.random.default_rng(4), 40, 1_000
    poses = [SE3.from_yaw(yaw, random.normal(0, 30, 3)) for yaw in random.uniform(-3, 3, boxes)]
    edits = tuple(
        PutTrack(
            Track.of(f"{k}", "car", [Annotation(t, Box3D(p, 4.5, 1.9, 1.6)) for t, p in enumerate(poses)])
        )
        for k in range(tracks)
    )
    with LabelStore.create(tmp_path / "labels.db", "log") as store:
        gc.collect()
        tracemalloc.start()
        labels = store.apply(Group(edits, "All"), automatic=True)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MOST_BYTES_A_BOX_STORED * labels.annotation_count
        assert store.undo() == LabelSet()
    with LabelStore.open(tmp_path / "labels.db") as store:
        again = store.redo()
    assert [len(track.annotations) for track in again.tracks.values()] == [boxes] * tracks
    assert again.tracks["7"].annotations[9].box.ego_from_box.is_close(poses[9], 0.0)
