"""Bad input to the readers of PandaSet and KITTI, and places that cannot be written to.

Each case damages one file of a small copy of real data. What follows must be one FormatError that names
that file, from opening, from reading labels, or from reading the frame, and never anything else.
"""

import gzip
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from formats.errors import FormatError
from formats.format import Format
from formats.kitti_tracking import KITTI_TRACKING
from formats.pandaset import PANDASET
from fusion import DriveLog, LabelSet
from tests.formats.samples import make_pandaset

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
Damage = Callable[[Path], None]


def read_everything(format: Format, path: Path) -> None:
    """What a careful user reads: the log, its labels, its first sweeps and images."""
    assert format.open_log is not None and format.read_labels is not None
    for log_id in format.log_ids(path):
        log = format.open_log(path, log_id)
        format.read_labels(path, log)
        for sensor in (log.sweeps, log.images):
            for refs in sensor.values():
                for ref in refs:
                    ref.read()


def refuse(format: Format, path: Path, file: Path) -> str:
    with pytest.raises(FormatError) as raised:
        read_everything(format, path)
    message = str(raised.value)
    assert str(file) in message and "\n" not in message and len(message) < 600
    return message


def content(replacement: bytes) -> Damage:
    """Other bytes in the file's place; a link is cut first, so that real data stay as they are."""

    def damage(file: Path) -> None:
        file.unlink(missing_ok=True)
        file.write_bytes(replacement)

    return damage


def text(replacement: str) -> Damage:
    return content(replacement.encode())


def edited(edit: Callable[[str], str]) -> Damage:
    """The file's text with something changed."""

    def damage(file: Path) -> None:
        before = file.read_text(encoding="utf-8")
        after = edit(before)
        assert after != before
        text(after)(file)

    return damage


def shortened(by_bytes: int) -> Damage:
    return lambda file: content(file.read_bytes()[:-by_bytes])(file)


def json_with(change: Callable[[list], None]) -> Damage:
    def edit(before: str) -> str:
        rows = json.loads(before)
        change(rows)
        return json.dumps(rows)

    return edited(edit)


def remove(file: Path) -> None:
    file.unlink()


class Shell:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("exit 3",)


@pytest.fixture
def pandaset(shared_data: Path, tmp_path: Path) -> Path:
    """Two frames of PandaSet with the front camera."""
    make_pandaset(tmp_path / "002", shared_data)
    return tmp_path / "002"


HOSTILE_PICKLE = gzip.compress(pickle.dumps({"lidar": [Shell()]}, protocol=3))
PANDASET_DAMAGE: dict[str, tuple[str, Damage, str]] = {
    "truncated scan": ("lidar/01.pkl.gz", shortened(1000), "damaged gzip"),
    "no gzip": ("lidar/01.pkl.gz", content(b"hello"), "damaged gzip"),
    "no pickle": ("lidar/00.pkl.gz", content(gzip.compress(b"hello")), "byte"),
    "hostile scan": ("lidar/00.pkl.gz", content(HOSTILE_PICKLE), "posix.system"),
    "hostile labels": ("annotations/cuboids/00.pkl.gz", content(HOSTILE_PICKLE), "posix.system"),
    "labels for a scan": (
        "annotations/cuboids/00.pkl.gz",
        lambda file: content((file.parents[2] / "lidar" / "00.pkl.gz").read_bytes())(file),
        "without the column 'dimensions.x'",
    ),
    "a scan for labels": (
        "lidar/00.pkl.gz",
        lambda file: content((file.parents[1] / "annotations" / "cuboids" / "00.pkl.gz").read_bytes())(file),
        "without the column 'x'",
    ),
    "no image": ("camera/front_camera/01.jpg", content(b""), "image"),
    "half an image": ("camera/front_camera/01.jpg", shortened(100_000), "cut short"),
    "NaN pose": (
        "lidar/poses.json",
        json_with(lambda rows: rows[1]["position"].update(x=float("nan"))),
        "1.position.x: a finite number",
    ),
    "NaN camera pose": (
        "camera/front_camera/poses.json",
        json_with(lambda rows: rows[0]["heading"].update(w=float("nan"))),
        "0.heading.w: a finite number",
    ),
    "pose without heading": ("lidar/poses.json", json_with(lambda rows: rows[1].pop("heading")), "entry 1"),
    "pose of zeros": (
        "lidar/poses.json",
        json_with(lambda rows: rows[0]["heading"].update(w=0, x=0, y=0, z=0)),
        "entry 0",
    ),
    "pose of words": (
        "lidar/poses.json",
        json_with(lambda rows: rows[0]["position"].update(x="a")),
        "entry 0",
    ),
    "pose that is a list": ("lidar/poses.json", text("[[1, 2], [3, 4]]"), "entry 0"),
    "one pose too few": ("lidar/poses.json", json_with(lambda rows: rows.pop()), "1 entries for 2 frames"),
    "one time too few": (
        "camera/front_camera/timestamps.json",
        json_with(lambda rows: rows.pop()),
        "1 entries for 2 frames",
    ),
    "times that fall": ("lidar/timestamps.json", json_with(lambda rows: rows.reverse()), "must rise"),
    "times of words": ("lidar/timestamps.json", text('["now", "then"]'), "entry 0"),
    "times without end": ("lidar/timestamps.json", text("[1e300, 1e301]"), "entry 0"),
    "no times": ("lidar/timestamps.json", text("{}"), "not a list of times"),
    "json cut short": ("lidar/poses.json", shortened(10), "line 1 column"),
    "no intrinsics": ("camera/front_camera/intrinsics.json", remove, "no such file"),
    "intrinsics without fx": ("camera/front_camera/intrinsics.json", text('{"fy": 1}'), "'fx'"),
    "negative focal length": (
        "camera/front_camera/intrinsics.json",
        text('{"fx": -5, "fy": 1, "cx": 1, "cy": 1}'),
        "focal lengths",
    ),
    "no camera poses": ("camera/front_camera/poses.json", remove, "no such file"),
}


@pytest.mark.parametrize("case", PANDASET_DAMAGE)
def test_damaged_pandaset(pandaset: Path, case: str) -> None:
    name, damage, said = PANDASET_DAMAGE[case]
    damage(pandaset / name)
    assert said in refuse(PANDASET, pandaset, pandaset / name)


def test_the_small_copies_are_sound(pandaset: Path, kitti: Path) -> None:
    read_everything(PANDASET, pandaset)
    read_everything(KITTI_TRACKING, kitti)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("position.x", np.nan, "cuboid e83d78e4"),
        ("yaw", np.inf, "cuboid e83d78e4"),
        ("dimensions.y", 0.0, "cuboid e83d78e4"),
        ("dimensions.z", -1.0, "cuboid e83d78e4"),
        ("uuid", 7, "row 0"),
        ("label", None, "row 0"),
    ],
)
def test_cuboids_that_cannot_be(
    pandaset: Path, monkeypatch: pytest.MonkeyPatch, column: str, value: object, said: str
) -> None:
    from formats.pandaset import cuboids

    read_frame = cuboids.read_frame

    def spoiled(path: Path) -> dict[str, np.ndarray]:
        table = {name: values.copy() for name, values in read_frame(path).items()}
        table[column][0] = value
        return table

    monkeypatch.setattr(cuboids, "read_frame", spoiled)
    assert said in refuse(PANDASET, pandaset, pandaset / "annotations" / "cuboids" / "00.pkl.gz")


@pytest.fixture
def kitti(shared_data: Path, tmp_path: Path) -> Path:
    """A KITTI sequence with scans, labels, images, times and poses, put together from two."""
    source, target = shared_data / "kitti_tracking" / "training", tmp_path / "kitti" / "training"
    camera = shared_data / "kitti_camera_lidar" / "training" / "image_02" / "0052"
    for part in ("velodyne/0000", "image_02/0000", "calib", "label_02", "oxts", "times"):
        (target / part).mkdir(parents=True)
    for frame in (0, 1):
        shutil.copy(source / "velodyne" / "0000" / f"{frame:06d}.bin", target / "velodyne" / "0000")
        shutil.copy(camera / f"{frame:06d}.png", target / "image_02" / "0000")
    for part in ("calib", "label_02"):
        lines = (source / part / "0000.txt").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if part == "calib" or line[:2] in ("0 ", "1 ")]
        text("\n".join(kept) + "\n")(target / part / "0000.txt")
    text("0.0\n0.1\n")(target / "times" / "0000.txt")
    text(f"49 8 100 0 0 0 {'0 ' * 24}\n" * 2)(target / "oxts" / "0000.txt")
    return target


LABEL, CALIB = "label_02/0000.txt", "calib/0000.txt"
KITTI_DAMAGE: dict[str, tuple[str, Damage, str]] = {
    "truncated scan": ("velodyne/0000/000001.bin", shortened(7), "cut short"),
    "scan with NaN": (
        "velodyne/0000/000001.bin",
        lambda file: content(file.read_bytes()[:160] + b"\xff" * 16 + file.read_bytes()[176:])(file),
        "point 10",
    ),
    "half an image": ("image_02/0000/000001.png", shortened(20_000), "cut short"),
    "empty image": ("image_02/0000/000001.png", content(b""), "not an image"),
    "no calibration": (CALIB, remove, "no such file"),
    "calibration without P2": (CALIB, edited(lambda t: t.replace("P2:", "Q2:")), "without P2"),
    "calibration without a LiDAR": (
        CALIB,
        edited(lambda t: t.replace("Tr_velo", "Tr_felo")),
        "Tr_velo_to_cam",
    ),
    "calibration of words": (CALIB, edited(lambda t: t.replace("7.215377", "seven")), "line 1"),
    "calibration with NaN": (CALIB, edited(lambda t: t.replace("9.999239000000e-01", "nan")), "line 5"),
    "calibration that stretches": (CALIB, edited(lambda t: t.replace("9.999239", "9.2")), "stretches"),
    "calibration cut short": (CALIB, shortened(40), "line 7"),
    "camera that mirrors": (CALIB, edited(lambda t: t.replace("P2: 7.", "P2: -7.")), "focal lengths"),
    "camera that shears": (CALIB, edited(lambda t: t.replace("0.000000000000e+00", "5", 40)), "P2"),
    "binary calibration": (CALIB, content(b"\xff\xfe\x00"), "UTF-8"),
    "label of too few columns": (LABEL, edited(lambda t: t + "1 5 Car 0 0 1\n"), "6 columns"),
    "label of words": (LABEL, edited(lambda t: t.replace("4.433886", "long")), "line 3"),
    "label with NaN": (LABEL, edited(lambda t: t.replace("4.433886", "nan")), "line 3"),
    "label without size": (LABEL, edited(lambda t: t.replace("4.433886", "0.0")), "line 3"),
    "label with half a frame": (LABEL, edited(lambda t: "0.5" + t[1:]), "line 1"),
    "label of a frame far away": (LABEL, edited(lambda t: "12345678" + t[1:]), "12345678"),
    "label twice": (LABEL, edited(lambda t: t + t.splitlines()[2] + "\n"), "track 0 "),
    "label of two minds": (LABEL, edited(lambda t: t.replace("1 0 Van", "1 0 Car")), "track 0 "),
    "binary labels": (LABEL, content(b"\xff\xfe\x00"), "UTF-8"),
    "pose with NaN": ("oxts/0000.txt", edited(lambda t: t.replace("100", "nan", 1)), "line 1"),
    "pose of words": ("oxts/0000.txt", edited(lambda t: t.replace("49", "north", 1)), "line 1"),
    "one pose too few": ("oxts/0000.txt", text(f"49 8 100 0 0 0 {'0 ' * 24}\n"), "1 poses"),
    "times that fall": ("times/0000.txt", text("0.1\n0.0\n"), "must rise"),
    "times of words": ("times/0000.txt", text("0.1\nsoon\n"), "line 2"),
    "times without end": ("times/0000.txt", text("0.1\n1e30\n"), "line 2"),
    "times with NaN": ("times/0000.txt", text("0.1\nNaN\n"), "line 2"),
    "one time too few": ("times/0000.txt", text("0.1\n"), "1 times"),
}


@pytest.mark.parametrize("case", KITTI_DAMAGE)
def test_damaged_kitti(kitti: Path, case: str) -> None:
    name, damage, said = KITTI_DAMAGE[case]
    damage(kitti / name)
    named = kitti if case == "label of a frame far away" else kitti / name
    assert said in refuse(KITTI_TRACKING, kitti.parent, named)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("0,2,1,2,3,4,5\n", "line 1: 7 columns"),
        ("0,2,1,2,3,4,0.5,1,1,1,1,1,9,0,nan\n", "line 1"),
        ("0,4,1,2,3,4,0.5,1,1,1,1,1,9,0,0\n", "4 is no type"),
        ("77,2,1,2,3,4,0.5,1,1,1,1,1,9,0,0\n", "frame 77 is not in the log"),
        ("0,2,1,2,3,4,0.5,1,-1,1,1,1,9,0,0\n", "line 1"),
        ("-1,2,1,2,3,4,0.5,1,1,1,1,1,9,0,0\n", "line 1"),
    ],
)
def test_damaged_detections(kitti: Path, lines: str, said: str) -> None:
    log = KITTI_TRACKING.open_log(kitti, "0000")
    file = kitti.parent / "found" / "some_Car" / "0000.txt"
    file.parent.mkdir(parents=True)
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        KITTI_TRACKING.read_detections(kitti.parent / "found", log)
    assert str(raised.value).startswith(str(file)) and said in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("1 0 0 0 0 1 0 0 0 0 1\n" * 2, "line 1"),
        ("1 0 0 0 0 1 0 0 0 0 1 nan\n" * 2, "line 1"),
        ("1 0 0 0 0 1 0 0 0 0 2 0\n" * 2, "line 1"),
        ("1 0 0 0 0 1 0 0 0 0 1 0\n", "1 poses for 2 frames"),
        ("", "holds no pose"),
    ],
)
def test_damaged_poses(kitti: Path, lines: str, said: str) -> None:
    log = KITTI_TRACKING.open_log(kitti, "0000")
    file = kitti.parent / "0000.txt"
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        KITTI_TRACKING.read_poses(kitti.parent, log)
    assert str(raised.value).startswith(str(file)) and said in str(raised.value)


def test_nothing_is_written_where_nothing_can_be(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log("0007")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("kept", encoding="utf-8")
    for target in (in_the_way, in_the_way / "out"):
        with pytest.raises(FormatError, match="file"):
            KITTI_TRACKING.write(target, [(log, labels)])
        with pytest.raises(FormatError, match="file"):
            KITTI_TRACKING.write_labels(target, log, labels)
    assert in_the_way.read_text(encoding="utf-8") == "kept"
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_an_error_half_way_leaves_nothing(make_log: MakeLog, kitti: Path, tmp_path: Path) -> None:
    """The second log's image proves damaged when the first log is long written."""
    (kitti / "image_02" / "0000" / "000001.png").write_bytes(b"")
    broken = KITTI_TRACKING.open_log(kitti, "0000")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FormatError, match=r"000001\.png"):
        KITTI_TRACKING.write(tmp_path / "out", [make_log("0007"), (broken, LabelSet())])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_that_climbs_out_is_not_written_to(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log("../escaped")
    with pytest.raises(FormatError, match="leads out"):
        KITTI_TRACKING.write_labels(tmp_path / "results", log, labels)
    KITTI_TRACKING.write(tmp_path / "out", [(log, labels)], images="none")
    assert sorted(child.name for child in tmp_path.iterdir()) == ["out"]


def test_options_and_logs_that_do_not_fit_are_refused(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log("0007")
    with pytest.raises(FormatError, match="'gif' is none of png, jpg, none"):
        KITTI_TRACKING.write(tmp_path / "out", [(log, labels)], images="gif")
    blind = DriveLog(
        "0008", type(log.rig).of(tuple(log.rig.lidars.values())), log.trajectory, log.timestamps_ns
    )
    with pytest.raises(FormatError, match="0008 has no camera"):
        KITTI_TRACKING.write(tmp_path / "out", [(blind, labels)])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FormatError, match="not a KITTI log"):
        KITTI_TRACKING.read_labels(tmp_path, log)
