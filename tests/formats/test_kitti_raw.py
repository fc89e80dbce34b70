"""KITTI's raw data: a made drive, read as pykitti reads it, and damaged in every way."""

import shutil
from pathlib import Path

import numpy as np
import pykitti
import pytest

from formats.errors import FormatError
from formats.kitti.raw.xml import read_xml
from formats.kitti_raw import KITTI_RAW
from fusion import DriveLog, LabelSet, Source
from tests.formats.damage import survive
from tests.formats.small import DAY, DRIVE, make_kitti_object, make_kitti_raw

open_log, read_labels = KITTI_RAW.open_log, KITTI_RAW.read_labels
assert open_log and read_labels
CAMERAS = ("image_00", "image_01", "image_02", "image_03")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    make_kitti_raw(folder)
    return folder


@pytest.fixture(scope="module")
def drive(root: Path) -> tuple[DriveLog, LabelSet]:
    log = open_log(root, DRIVE)
    return log, read_labels(root, log)


def test_drives_are_found_from_three_places(root: Path, tmp_path: Path, shared_data: Path) -> None:
    for path in (root, root / DAY, root / DAY / DRIVE):
        assert KITTI_RAW.recognises(path) and KITTI_RAW.log_ids(path) == [DRIVE]
        assert len(open_log(path, DRIVE)) == 3
    make_kitti_object(tmp_path / "object")
    for folder in (tmp_path, tmp_path / "object", tmp_path / "no", *shared_data.iterdir()):
        assert not KITTI_RAW.recognises(folder), folder
    with pytest.raises(FormatError, match="holds no KITTI drive"):
        open_log(root, "other")


def test_pykitti_finds_the_same(root: Path, drive: tuple[DriveLog, LabelSet]) -> None:
    """Its cameras 1 to 3 leave out what a projection says beyond a shift to the side: millimetres."""
    log, _ = drive
    theirs = pykitti.raw(str(root), DAY, "0005")
    assert len(theirs) == len(log) == 3
    for number, stamp in enumerate(theirs.timestamps):
        own_ns = int(log.trajectory.timestamps_ns[1 + number])
        assert abs(own_ns / 1e9 - (stamp - type(stamp)(1970, 1, 1)).total_seconds()) < 1e-5
        world_from_imu = np.array(theirs.oxts[number].T_w_imu)
        world_from_velo = world_from_imu @ np.linalg.inv(theirs.calib.T_velo_imu)
        ours = log.trajectory.at(own_ns).matrix
        assert np.abs(world_from_velo - ours).max() < 1e-6
        scan = log.sweeps["velodyne"][number].read()
        assert np.array_equal(theirs.get_velo(number)[:, :3], scan.points)
        assert np.array_equal(np.array(theirs.get_cam2(number)), log.images["image_02"][number].read())
    for number, name in enumerate(CAMERAS):
        camera = log.rig.cameras[name]
        off = np.abs(getattr(theirs.calib, f"T_cam{number}_velo") - camera.ego_from_sensor.inverse().matrix)
        assert off.max() < (1e-8 if number == 0 else 0.01)
        assert np.allclose(getattr(theirs.calib, f"K_cam{number}"), camera.model.plain.matrix)


def test_every_sensor_has_its_own_instants(drive: tuple[DriveLog, LabelSet]) -> None:
    log, _ = drive
    assert log.timestamps_ns[0] == 1_317_042_145_051_199_337 and np.diff(log.timestamps_ns)[0] == 100_000_000
    assert log.images["image_02"][1].timestamp_ns - log.timestamps_ns[1] == 300_000
    assert not log.missing and log.trajectory.covers(int(log.timestamps_ns[-1]))


def test_tracklets_stand_on_their_lower_face(drive: tuple[DriveLog, LabelSet]) -> None:
    log, labels = drive
    assert {id: t.category for id, t in labels.tracks.items()} == {"0": "Car", "1": "Pedestrian"}
    car, walker = labels.tracks["0"], labels.tracks["1"]
    assert [*car.annotations] == log.timestamps_ns.tolist()
    assert [*walker.annotations] == log.timestamps_ns[1:].tolist()
    second = car.annotations[int(log.timestamps_ns[1])]
    assert np.allclose(second.box.center, (11, 2, -1.7 + 0.75)) and second.source is Source.IMPORTED
    assert second.box.yaw_rad == pytest.approx(0.1) and second.box.size_lwh_m.tolist() == [4.2, 1.7, 1.5]
    assert dict(second.attributes) == {"state": 2, "occlusion": 1, "truncation": 0, "amt_occlusion": 0.5}


def test_lost_files_are_known(root: Path, tmp_path: Path) -> None:
    """As in real drives, whose LiDAR left out frames."""
    shutil.copytree(root, tmp_path / "raw")
    folder = tmp_path / "raw" / DAY / DRIVE
    (folder / "velodyne_points" / "data" / "0000000001.bin").unlink()
    shutil.rmtree(folder / "oxts")
    shutil.rmtree(folder / "image_00")
    log = open_log(tmp_path / "raw", DRIVE)
    assert len(log) == 3 and log.sweep_at(int(log.timestamps_ns[1])) is None
    assert [(gap.sensor, gap.timestamp_ns) for gap in log.missing] == [("velodyne", log.timestamps_ns[1])]
    assert "image_00" not in log.rig.cameras and log.metadata["poses"] == "none"
    (folder / "tracklet_labels.xml").unlink()
    assert read_labels(tmp_path / "raw", log) == LabelSet()


BOMB = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]><boost_serialization>&b;</boost_serialization>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
PIECE = "<boost_serialization><tracklets>{}</tracklets></boost_serialization>"
ITEM = (
    "<item><objectType>Car</objectType><h>1</h><w>{w}</w><l>4</l><first_frame>{first}</first_frame><poses>"
    "<item><tx>{x}</tx><ty>1</ty><tz>1</tz><rx>0</rx><ry>0</ry><rz>0</rz></item></poses></item>"
)


def item(**values: object) -> str:
    return PIECE.format(ITEM.format(**({"w": 2, "first": 0, "x": 1} | values)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "declares or names entities"),
        (OUTSIDE, "declares or names entities"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x>&a;</x>', "entit"),
        ("<a>" * 100 + "</a>" * 100, "nested more than 32 deep"),
        ("<a><b></a>", "not XML that can be read"),
        ("", "not XML that can be read"),
        ("<boost_serialization/>", "without tracklets"),
        (PIECE.format("<item/>"), "tracklet 0: without"),
        (item(first=3), "not in the log, which has 3"),
        (item(first=-1), "not in the log"),
        (item(first="0.5"), "not in the log"),
        (item(first="nan"), "first_frame cannot be 'nan'"),
        (item(x="1e300"), "tracklet 0, pose 0: tx cannot be"),
        (item(x="here"), "tx cannot be 'here'"),
        (item(w=0), "tracklet 0, pose 0: the size"),
        (item(x="&lt;"), "tx cannot be '<'"),
    ],
)
def test_damaged_tracklets(drive: tuple[DriveLog, LabelSet], tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tracklet_labels.xml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        read_labels(file, drive[0])
    message = str(raised.value)
    assert said in message and str(file) in message and "\n" not in message


def test_xml_in_another_encoding_and_large(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'.encode("latin-1"))
    assert read_xml(file).text == "ü"
    file.write_bytes(b'<?xml version="1.0" encoding="nonsense"?><a/>')
    with pytest.raises(FormatError, match="not XML"):
        read_xml(file)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("velodyne_points/timestamps.txt", "2011-09-26 13:02:25.9\n" * 3, "line 2: the times must rise"),
        ("velodyne_points/timestamps.txt", "9011-09-26 13:02:25.9\n", "no date and time"),
        ("velodyne_points/timestamps.txt", "2011-13-26 13:02:25.9\n", "no date and time"),
        ("velodyne_points/timestamps.txt", "2011-09-26 13:02:25.9\n", "1 times, but frame 2 exists"),
        ("image_02/timestamps.txt", None, "0 times, but frame 2 exists"),
        ("oxts/data/0000000001.txt", "", "0 lines"),
        ("oxts/data/0000000001.txt", "1 2 3\n", "line 1: needs latitude"),
        ("oxts/data/0000000001.txt", "1 2 1e300 0 0 0\n", "line 1: needs latitude"),
    ],
)
def test_damaged_drives(root: Path, tmp_path: Path, name: str, text: str | None, said: str) -> None:
    shutil.copytree(root, tmp_path / "raw")
    file = tmp_path / "raw" / DAY / DRIVE / name
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        open_log(tmp_path / "raw", DRIVE)
    assert said in str(raised.value) and str(file) in str(raised.value)


def test_random_damage(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "raw")
    folder = tmp_path / "raw" / DAY / DRIVE

    def read() -> None:
        log = open_log(tmp_path / "raw", DRIVE)
        read_labels(tmp_path / "raw", log)

    names = ("tracklet_labels.xml", "velodyne_points/timestamps.txt", "oxts/data/0000000001.txt")
    files = [folder / name for name in names] + sorted((tmp_path / "raw" / DAY).glob("*.txt"))
    for file in files:
        told, _ = survive([file], read, 120)
        assert told > 10, file
