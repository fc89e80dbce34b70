"""Bad input gives one line that names file and place, exit code 2, and leaves nothing half-written."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import cli

Run = Callable[..., str]


@pytest.fixture
def pandaset(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of the real log with links in place of the files, so that single files can be spoilt."""
    copy = tmp_path / "pandaset" / "002"
    shutil.copytree(shared_data / "pandaset" / "002", copy, copy_function=os.link)
    return copy


@pytest.fixture
def kitti(shared_data: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "kitti"
    source = shared_data / "kitti_tracking" / "training"
    for part in ("calib/0000.txt", "label_02/0000.txt"):
        (copy / part).parent.mkdir(parents=True)
        shutil.copy(source / part, copy / part)
    shutil.copytree(source / "velodyne" / "0000", copy / "velodyne" / "0000", copy_function=os.link)
    return copy


def spoil(path: Path, content: bytes) -> None:
    """Replaces a file; what it was linked to stays as it is."""
    path.unlink()
    path.write_bytes(content)


def nothing_written(out: Path) -> bool:
    return not out.exists() or not any(path.is_file() for path in out.rglob("*"))


def test_no_such_path(fails: Run, tmp_path: Path) -> None:
    assert "no such file or folder" in fails("info", tmp_path / "nowhere")


def test_not_a_format(fails: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    assert "letter.txt" in fails("info", tmp_path / "letter.txt")


def test_unknown_log(fails: Run, pandaset: Path) -> None:
    assert "no log '003'" in fails("info", pandaset, "--log", "003")


def test_unknown_format(fails: Run, pandaset: Path) -> None:
    assert "no format 'nuscene'" in fails("info", pandaset, "--format", "nuscene")


def test_truncated_scan(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    scan = pandaset / "lidar" / "03.pkl.gz"
    spoil(scan, scan.read_bytes()[:5000])
    out = tmp_path / "out"
    line = fails("convert", pandaset, out, "--format", "nuscenes")
    assert "lidar/03.pkl.gz" in line
    assert nothing_written(out)
    assert [p.name for p in tmp_path.iterdir()] == ["pandaset"]


def test_truncated_velodyne_scan(fails: Run, kitti: Path, tmp_path: Path) -> None:
    scan = kitti / "velodyne" / "0000" / "000002.bin"
    spoil(scan, scan.read_bytes()[:-3])
    out = tmp_path / "out"
    assert "velodyne/0000/000002.bin" in fails("render", kitti, "--labels", kitti, "--out", out)


def test_wrong_pickle(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    import gzip
    import pickle

    marker = tmp_path / "executed"

    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return os.system, (f"touch {marker}",)

    cuboids = pandaset / "annotations" / "cuboids" / "05.pkl.gz"
    spoil(cuboids, gzip.compress(pickle.dumps(Hostile())))
    line = fails(
        "autolabel", pandaset, "--seed-labels", pandaset, "--seed-every", 7, "--out", tmp_path / "out"
    )
    assert "cuboids/05.pkl.gz" in line
    assert not marker.exists()
    assert nothing_written(tmp_path / "out")


def test_nan_pose(fails: Run, pandaset: Path) -> None:
    poses = pandaset / "lidar" / "poses.json"
    listed = json.loads(poses.read_text())
    listed[7]["position"]["x"] = float("nan")
    spoil(poses, json.dumps(listed).encode())
    line = fails("info", pandaset)
    assert "lidar/poses.json" in line
    assert "7" in line.split("poses.json")[1]


def test_unreadable_image(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    image = pandaset / "camera" / "back_camera" / "00.jpg"
    spoil(image, image.read_bytes()[:200])
    assert "back_camera/00.jpg" in fails("render", pandaset, "--labels", pandaset, "--out", tmp_path / "out")


def test_missing_frames_are_reported_and_skipped(
    pandaset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (pandaset / "camera" / "front_camera" / "02.jpg").unlink()
    (pandaset / "lidar" / "04.pkl.gz").unlink()
    out = tmp_path / "out"
    arguments = [pandaset, "--seed-labels", pandaset, "--seed-every", 7, "--out", out]
    monkeypatch.setattr(sys, "argv", ["crosslabel", "autolabel", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    said = capsys.readouterr().err
    assert "02.jpg" in said
    assert "04.pkl.gz" in said
    assert (out / "002" / "labels.db").is_file()


def test_malformed_label_line(fails: Run, kitti: Path) -> None:
    labels = kitti / "label_02" / "0000.txt"
    lines = labels.read_text().splitlines()
    lines[11] = lines[11].replace(" ", " x", 5)
    labels.write_text("\n".join(lines))
    line = fails("info", kitti)
    assert "label_02/0000.txt" in line
    assert "12" in line


def test_log_without_calibration(fails: Run, kitti: Path) -> None:
    (kitti / "calib" / "0000.txt").unlink()
    assert "calib/0000.txt" in fails("info", kitti)


def test_camera_without_calibration(fails: Run, pandaset: Path) -> None:
    (pandaset / "camera" / "left_camera" / "intrinsics.json").unlink()
    assert "left_camera/intrinsics.json" in fails("info", pandaset)


def test_unwritable_output(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("in the way")
    seeds = ("--seed-labels", pandaset, "--seed-every", 7)
    assert str(occupied) in fails("autolabel", pandaset, *seeds, "--out", occupied)
    assert str(occupied) in fails("render", pandaset, "--labels", pandaset, "--out", occupied / "deeper")
    assert str(occupied) in fails("convert", pandaset, occupied, "--format", "nuscenes")
    assert occupied.read_text() == "in the way"


def test_labels_of_another_log(fails: Run, pandaset: Path, kitti: Path, tmp_path: Path) -> None:
    line = fails("evaluate", kitti, "--truth", pandaset)
    assert "002" in line
    assert nothing_written(tmp_path / "out")


def test_a_database_that_is_none(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    assert "labels.db" in fails("evaluate", tmp_path / "labels.db", "--truth", pandaset)


def test_seed_frame_beyond_the_log(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    seeds = ("--seed-labels", pandaset, "--seed-frames", "0,99")
    line = fails("autolabel", pandaset, *seeds, "--out", tmp_path / "out")
    assert "no frame 99" in line
    assert "0 to 21" in line


def test_output_that_holds_something_else_is_left_alone(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    assert str(tmp_path / "out") in fails("convert", pandaset, tmp_path / "out", "--format", "nuscenes")
    assert (tmp_path / "out" / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("points: {magic: 3}", "points.magic"),
        ("track: {coast_s: -1}", "track.coast_s"),
        ("just words", "dictionary"),
        ("a: [", "cannot be read"),
    ],
)
def test_settings_that_cannot_be(fails: Run, pandaset: Path, tmp_path: Path, text: str, said: str) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(text)
    line = fails("autolabel", pandaset, "--out", tmp_path / "out", "--config", settings)
    assert "settings.yaml" in line
    assert said in line
    assert nothing_written(tmp_path / "out")


def test_a_broken_sweep_is_named(fails: Run, pandaset: Path, tmp_path: Path) -> None:
    spoil(pandaset / "lidar" / "04.pkl.gz", b"not a pickle")
    line = fails("autolabel", pandaset, "--out", tmp_path / "out")
    assert "lidar/04.pkl.gz" in line
    assert nothing_written(tmp_path / "out")
