"""What is guessed of a recording, and what a person says instead."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from calib import SE3, Camera, Fisheye, Lidar, Pinhole, Rig
from formats.errors import FormatError
from formats.recording import RECORDING, propose
from formats.rigs import write_rig
from fusion import DriveLog
from tests.formats.recording import bags
from tests.formats.recording.bags import NS
from tests.formats.recording.contents import cloud_of

EGO_FROM_TOP = SE3.from_yaw(0.3, (1.0, 0.0, 1.8))
EGO_FROM_EYE = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.5, 0.1, 1.4]))
FRAME_NS = 100_000_000
IMAGES = "/eye/image_raw/compressed"
LENS = Pinhole(10, 11, 6, 4, 12, 8, (-0.1, 0.01, 0.0, 0.0, 0.002))


def drive(kind: bags.Kind = "mcap", *, moving: bool = True, lens: Any = LENS) -> bags.Writing:
    """Three frames of a LiDAR and a camera."""
    writing = bags.Writing(kind)
    placed = {("base_link", "top"): EGO_FROM_TOP, ("base_link", "eye"): EGO_FROM_EYE}
    writing.transforms("/tf_static", NS, placed)
    pixels = np.zeros((8, 12, 3), dtype=np.uint8)
    for k in range(3):
        t = NS + k * FRAME_NS
        if moving:
            writing.transforms("/tf", t, {("odom", "base_link"): pose(k)})
        writing.cloud("/top/points", t, "top", cloud_of())
        writing.compressed(IMAGES, t, "eye", bags.png(pixels), "png")
        writing.info("/eye/camera_info", t, "eye", Camera("eye", EGO_FROM_EYE, lens))
    return writing


def pose(k: float) -> SE3:
    return SE3.from_yaw(0.1 * k, (2.0 * k, 0.5 * k, 0.01 * k))


def opened(path: Path) -> DriveLog:
    assert RECORDING.open_log is not None
    return RECORDING.open_log(path, RECORDING.log_ids(path)[0])


def said(path: Path, **settings: Any) -> Path:
    """Writes settings beside or into a recording."""
    file = path / "recording.yaml" if path.is_dir() else path.with_name(path.name + ".recording.yaml")
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


def same_way(log: DriveLog, truth: Any = pose, within: float = 1e-9) -> None:
    for k in range(3):
        assert log.trajectory.at(NS + k * FRAME_NS).is_close(truth(k), within)


@pytest.mark.parametrize("kind", bags.KINDS)
def test_the_proposal_says_what_was_guessed(kind: bags.Kind, tmp_path: Path) -> None:
    path = drive(kind).write(tmp_path / "a")
    text = propose(path, RECORDING.log_ids(path)[0])
    before = opened(path)
    said(path, **yaml.safe_load(text))
    after = opened(path)
    assert dict(after.metadata) == dict(before.metadata)
    assert {name: str(one) for name, one in after.rig.lidars.items()} == {
        name: str(one) for name, one in before.rig.lidars.items()
    }
    assert str(after.rig.cameras["eye"]) == str(before.rig.cameras["eye"])
    same_way(after)
    assert propose(path, after.name) == text


@pytest.mark.parametrize(
    "lens",
    [
        Pinhole(10, 11, 6, 4, 12, 8),
        Pinhole(10, 11, 6, 4, 12, 8, (-0.1, 0.01, 0.001, 0.002)),
        LENS,
        Pinhole(10, 11, 6, 4, 12, 8, (0.1, 0.01, 0.0, 0.0, 0.002, 0.1, 0.02, 0.001)),
        Fisheye(10, 11, 6, 4, 12, 8, (0.1, 0.01, 0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("kind", ["bag", "db3", "protobuf"])
def test_every_lens_that_camera_info_can_say(kind: bags.Kind, lens: Any, tmp_path: Path) -> None:
    assert opened(drive(kind, lens=lens).write(tmp_path / "a")).rig.cameras["eye"].model == lens


def test_a_rectified_image_takes_its_lens_from_p(tmp_path: Path) -> None:
    writing = drive()
    writing.notes = [note for note in writing.notes if "image" not in note.topic]
    for k in range(3):
        pixels = np.zeros((8, 36), dtype=np.uint8)
        writing.image("/eye/image_rect_color", NS + k * FRAME_NS, "eye", pixels, "rgb8", 12)
    assert opened(writing.write(tmp_path / "a")).rig.cameras["eye"].model == Pinhole(10, 11, 6, 4, 12, 8)


def test_a_car_without_a_way_stands(tmp_path: Path) -> None:
    log = opened(drive(moving=False).write(tmp_path / "a"))
    assert log.metadata["trajectory"] == "none" and len(log) == 3
    same_way(log, lambda k: SE3.identity())


@pytest.mark.parametrize("kind", ["bag", "db3", "mcap"])
def test_the_way_from_odometry_of_a_body(kind: bags.Kind, tmp_path: Path) -> None:
    writing = drive(kind, moving=False)
    ego_from_body = SE3.from_yaw(0.5, (0.2, 0.1, 0.0))
    writing.transforms("/tf_static", NS, {("base_link", "imu"): ego_from_body})
    for k in range(3):
        writing.odometry("/odom", NS + k * FRAME_NS, "odom", "imu", pose(k) @ ego_from_body)
    log = opened(writing.write(tmp_path / "a"))
    assert log.metadata["trajectory"] == "/odom"
    same_way(log)


@pytest.mark.parametrize("kind", bags.KINDS)
def test_the_way_from_poses(kind: bags.Kind, tmp_path: Path) -> None:
    writing = drive(kind, moving=False)
    for k in range(3):
        writing.posed("/pose", NS + k * FRAME_NS, "map", pose(k))
    same_way(opened(writing.write(tmp_path / "a")))


def test_the_way_from_fixes_and_an_imu(tmp_path: Path) -> None:
    """A ten-thousandth of a degree north is 11.06 m at 49 degrees, east 7.32 m (Vincenty, WGS 84)."""
    writing = drive(moving=False)
    ego_from_antenna = SE3.from_yaw(0.0, (1.0, 0.0, 1.5))
    writing.transforms("/tf_static", NS, {("base_link", "gnss"): ego_from_antenna})
    for k in range(3):
        t = NS + k * FRAME_NS
        writing.fix("/fix", t, "gnss", 49.0 + 1e-4 * k, 8.0 + 1e-4 * k, 100.0 + k)
        writing.imu("/imu", t, "imu", SE3.from_yaw(np.pi / 2))
    log = opened(writing.write(tmp_path / "a"))
    first, last = (log.trajectory.at(NS + k * FRAME_NS) for k in (0, 2))
    np.testing.assert_allclose(last.translation - first.translation, (14.6346, 22.2424, 2.0), atol=2e-3)
    np.testing.assert_allclose(first.translation, (0.0, -1.0, -1.5), atol=1e-9)
    assert abs(last.yaw_rad - np.pi / 2) < 1e-9 and log.metadata["trajectory"] == "/fix"


def test_map_and_odom_are_chained(tmp_path: Path) -> None:
    writing = drive()
    map_from_odom = SE3.from_yaw(1.0, (100.0, 50.0, 0.0))
    for t in (NS - 1, NS + 3 * FRAME_NS):
        writing.transforms("/tf", t, {("map", "odom"): map_from_odom})
    log = opened(writing.write(tmp_path / "a"))
    assert log.metadata["world frame"] == "map"
    same_way(log, lambda k: map_from_odom @ pose(k))
    other = drive().write(tmp_path / "b")
    said(other, world_frame="odom")
    same_way(opened(other))


def test_what_cannot_be_placed_is_left_out_and_told(tmp_path: Path) -> None:
    writing = drive()
    for k in range(3):
        t = NS + k * FRAME_NS
        writing.cloud("/loose/points", t, "loose", cloud_of(5))
        writing.cloud("/arm/points", t, "arm", cloud_of(5))
        writing.transforms("/tf", t, {("base_link", "arm"): SE3.from_yaw(0.1 * k)})
        writing.compressed(
            "/blind/image_raw/compressed", t, "blind", bags.png(np.zeros((4, 4, 3), "u1")), "png"
        )
    log = opened(writing.write(tmp_path / "a"))
    assert [*log.rig.lidars] == ["top"] and [*log.rig.cameras] == ["eye"]
    told = log.metadata["left out"]
    assert "'arm' moves against 'base_link'" in told and "connects its frame 'loose'" in told
    assert "/blind/image_raw/compressed: no camera info goes with it" in told


def test_a_rig_file_takes_the_place_of_the_transforms(tmp_path: Path) -> None:
    writing = drive()
    writing.notes = [note for note in writing.notes if note.topic != "/tf_static"]
    path = writing.write(tmp_path / "a")
    rig = Rig.of((Lidar("top", EGO_FROM_TOP),), (Camera("eye", EGO_FROM_EYE, LENS),))
    write_rig(tmp_path / "rig.json", rig)
    said(path, rig="../rig.json", ego_frame="base_link")
    log = opened(path)
    assert log.rig.lidars["top"].ego_from_sensor.is_close(EGO_FROM_TOP)
    assert log.rig.cameras["eye"].ego_from_sensor.is_close(EGO_FROM_EYE)
    same_way(log)


def test_a_delay_and_stamps_and_times_as_they_are_said(tmp_path: Path) -> None:
    path = drive().write(tmp_path / "a")
    lidar = {"topic": "/top/points", "stamps": "end", "time_field": "t", "time_unit": "ns"}
    camera = {"topic": IMAGES, "delay_ms": 12.5}
    said(path, lidars={"roof": lidar}, cameras={"front": camera})
    log = opened(path)
    sweep = log.sweeps["roof"][1].read()
    assert sweep.offset_ns is not None and (sweep.stamps, int(sweep.offset_ns[-1])) == ("end", 0)
    assert int(sweep.offset_ns[0]) == -90_000_000
    assert [ref.timestamp_ns - NS for ref in log.images["front"]][:2] == [12_500_000, 112_500_000]
    said(path, lidars={"roof": {**lidar, "time_field": "none"}}, cameras={})
    assert opened(path).sweeps["roof"][0].read().offset_ns is None and not opened(path).rig.cameras


def test_settings_that_name_their_recording_are_a_path(tmp_path: Path) -> None:
    bag = drive("bag").write(tmp_path / "drive")
    file = tmp_path / "mine.yaml"
    file.write_text("file: drive.bag\ntrajectory: none\n", encoding="utf-8")
    assert RECORDING.recognises(file) and RECORDING.log_ids(file) == ["drive"]
    assert opened(file).metadata["trajectory"] == "none" and opened(bag).metadata["trajectory"] == "tf"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"lidar": {}}, "lidar: Extra inputs"),
        (
            {"lidars": {"a": {"topic": "/nowhere"}}},
            r"lidars\.a\.topic: .*no topic '/nowhere' of cloud.*/top/points",
        ),
        ({"cameras": {"a": {"topic": "/top/points"}}}, r"cameras\.a\.topic"),
        ({"trajectory": "/nowhere"}, "trajectory: "),
        ({"trajectory": "tf", "world_frame": "moon"}, "'base_link' moves in 'moon'"),
        (
            {"ego_frame": "moon", "lidars": {"a": {"topic": "/top/points"}}},
            r"lidars\.a: no transform connects",
        ),
        ({"rig": "none.json"}, "no such file"),
        ({"lidars": {"a": {"topic": "/top/points", "stamps": "middle"}}}, r"lidars\.a\.stamps"),
        (
            {"cameras": {"a": {"topic": IMAGES, "info_topic": "none"}}},
            "neither camera info",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], why: str, tmp_path: Path) -> None:
    path = drive().write(tmp_path / "a")
    said(path, **settings)
    with pytest.raises(FormatError, match=why) as raised:
        opened(path)
    assert "\n" not in str(raised.value)


def test_clocks_that_do_not_meet_are_told(tmp_path: Path) -> None:
    writing = drive(moving=False)
    for k in range(3):
        writing.transforms("/tf", 50 * NS + k, {("odom", "base_link"): pose(k)})
    with pytest.raises(FormatError, match=r"stamped 49\.000 s before the way begins"):
        opened(writing.write(tmp_path / "a"))


def test_messages_without_a_place_in_time_are_missing(tmp_path: Path) -> None:
    writing = drive()
    writing.cloud("/top/points", NS + FRAME_NS, "top", cloud_of(3))
    writing.cloud("/top/points", NS + 9 * FRAME_NS, "top", cloud_of(3))
    log = opened(writing.write(tmp_path / "a"))
    assert len(log) == 3 and {m.sensor for m in log.missing} == {"top"}
    assert ["a second one of this stamp" in m.reason for m in log.missing] == [True, False]
