"""Logs: which sweep belongs to a frame and which image is near, and that opening reads nothing."""

import numpy as np
import pytest

from calib import SE3, Camera, Lidar, Pinhole, Rig
from calib.types import U8
from fusion import DriveLog, ImageRef, MissingFrame, Sweep, SweepRef, Trajectory

MS = 1_000_000
START_NS = 1_532_402_927_000_000_000


def nothing_read() -> Sweep:
    raise AssertionError("read though nobody asked")


def no_image() -> U8:
    raise AssertionError("read though nobody asked")


def sweeps(lidar: str, *timestamps_ns: int) -> tuple[SweepRef, ...]:
    return tuple(SweepRef(lidar, t, nothing_read) for t in timestamps_ns)


def images(camera: str, *timestamps_ns: int) -> tuple[ImageRef, ...]:
    return tuple(ImageRef(camera, t, no_image) for t in timestamps_ns)


@pytest.fixture
def rig() -> Rig:
    model = Pinhole(100.0, 100.0, 50.0, 50.0, 100, 100)
    lidars = (Lidar("top", SE3.identity()), Lidar("front", SE3.identity()))
    return Rig.of(lidars, (Camera("front", SE3.identity(), model),))


@pytest.fixture
def log(rig: Rig) -> DriveLog:
    frames = START_NS + np.arange(4) * 100 * MS
    return DriveLog(
        "log",
        rig,
        Trajectory.standing(frames),
        frames,
        {"top": sweeps("top", *(int(t) for t in frames[[0, 1, 3]])), "front": sweeps("front", START_NS + 5)},
        {"front": images("front", START_NS + 30 * MS, START_NS + 130 * MS, START_NS + 230 * MS)},
        (MissingFrame("top", int(frames[2]), "file is empty"),),
        {"place": "Boston"},
    )


def test_a_sweep_is_found_at_exactly_its_frame(log: DriveLog) -> None:
    for timestamp_ns in log.timestamps_ns[[0, 1, 3]].tolist():
        found = log.sweep_at(timestamp_ns)
        assert found is not None
        assert (found.lidar, found.timestamp_ns) == ("top", timestamp_ns)
    assert log.sweep_at(int(log.timestamps_ns[2])) is None
    for off in (-1, 1):
        assert log.sweep_at(START_NS + off) is None
    assert log.sweep_at(START_NS - 10**9) is None
    assert log.sweep_at(START_NS + 10**9) is None


def test_another_lidar_is_named(log: DriveLog) -> None:
    found = log.sweep_at(START_NS + 5, lidar="front")
    assert found is not None
    assert found.lidar == "front"
    assert log.sweep_at(START_NS, lidar="front") is None
    assert log.sweep_at(START_NS, lidar="nobody") is None


def test_the_nearest_image_is_found(log: DriveLog) -> None:
    def near(offset_ms: float, within_ns: int = 100 * MS) -> int | None:
        found = log.image_near("front", START_NS + int(offset_ms * MS), within_ns)
        return None if found is None else (found.timestamp_ns - START_NS) // MS

    assert [near(0), near(79), near(81), near(130), near(229), near(330)] == [30, 30, 130, 130, 230, 230]
    assert near(80) == 30  # of two as near the earlier
    assert near(331) is None
    assert near(-70) == 30
    assert near(-71) is None
    assert near(130, within_ns=0) == 130
    assert near(131, within_ns=0) is None
    assert log.image_near("nobody", START_NS) is None


def test_nearness_is_exact_at_today_s_nanoseconds(rig: Rig) -> None:
    """A float64 knows today's time only to 256 ns."""
    refs = images("front", START_NS, START_NS + 101)
    log = DriveLog("log", rig, Trajectory.standing([START_NS]), np.array([START_NS]), images={"front": refs})
    assert log.image_near("front", START_NS + 50) is log.images["front"][0]
    assert log.image_near("front", START_NS + 51) is log.images["front"][1]
    assert log.image_near("front", START_NS + 50, within_ns=49) is None


def test_a_lidar_and_a_camera_may_share_a_name(log: DriveLog) -> None:
    assert log.sweep_at(START_NS + 5, lidar="front") is log.sweeps["front"][0]
    assert log.image_near("front", START_NS + 230 * MS) is log.images["front"][2]


def test_references_in_any_order_are_put_in_order_of_time(rig: Rig) -> None:
    late_first = sweeps("top", START_NS + 100, START_NS)
    log = DriveLog("log", rig, Trajectory.standing([START_NS]), np.array([START_NS]), {"top": late_first}, {})
    assert [ref.timestamp_ns - START_NS for ref in log.sweeps["top"]] == [0, 100]
    assert log.sweep_at(START_NS) is late_first[1]


def test_a_log_of_nothing_answers(rig: Rig) -> None:
    bare = DriveLog("bare", Rig.of(), Trajectory.standing([0]), np.array([], dtype=np.int64))
    assert len(bare) == 0
    assert bare.sweep_at(0) is None
    assert bare.image_near("front", 0) is None
    no_refs = DriveLog(
        "x", rig, Trajectory.standing([0]), np.array([0]), sweeps={"top": ()}, images={"front": ()}
    )
    assert no_refs.sweep_at(0) is None
    assert no_refs.image_near("front", 0) is None


def test_nothing_is_read_before_it_is_asked_for(log: DriveLog) -> None:
    assert len(log) == 4
    with pytest.raises(AssertionError, match="nobody asked"):
        log.sweeps["top"][0].read()
    with pytest.raises(AssertionError, match="nobody asked"):
        log.images["front"][0].read()


def test_a_log_cannot_be_changed(log: DriveLog) -> None:
    with pytest.raises(AttributeError):
        log.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        log.timestamps_ns[0] = 0
    with pytest.raises(TypeError):
        log.sweeps["top"] = ()  # type: ignore[index]
    with pytest.raises(TypeError):
        log.images["front"] = ()  # type: ignore[index]
    with pytest.raises(TypeError):
        log.metadata["place"] = "x"  # type: ignore[index]


def test_frames_are_copied(rig: Rig) -> None:
    frames = np.array([START_NS, START_NS + 1])
    log = DriveLog("log", rig, Trajectory.standing(frames), frames)
    frames[0] = 0
    assert log.timestamps_ns[0] == START_NS
    assert log.timestamps_ns.dtype == np.int64
