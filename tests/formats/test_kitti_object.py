"""KITTI's object benchmark: real frames in its layout, any log written as such, damaged trees."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from formats.errors import FormatError
from formats.kitti_object import KITTI_OBJECT
from formats.kitti_tracking import KITTI_TRACKING
from formats.losses import Part, losses
from fusion import LabelSet
from fusion.align import points_in_ego, read_deskewed
from fusion.overlap import points_in_box
from fusion.simulate import SimulationConfig, simulate
from tests.formats.damage import survive
from tests.formats.small import make_kitti_object, small_log
from tests.fusion.label_strategies import label_sets

open_log, read_labels = KITTI_OBJECT.open_log, KITTI_OBJECT.read_labels
write, write_labels = KITTI_OBJECT.write, KITTI_OBJECT.write_labels
assert open_log and read_labels and write and write_labels


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of the tracking benchmark laid out as the object benchmark has them, of two calibrations."""
    source, root = shared_data / "kitti_tracking" / "training", tmp_path_factory.mktemp("object")
    for part in ("calib", "label_2", "velodyne", "image_2"):
        (root / "training" / part).mkdir(parents=True)
    labels = (source / "label_02" / "0000.txt").read_text(encoding="utf-8").splitlines()
    for number in range(4):
        name, calibration = f"{number:06d}", "0000" if number < 3 else "0017"
        shutil.copy(source / "calib" / f"{calibration}.txt", root / "training" / "calib" / f"{name}.txt")
        shutil.copy(source / "velodyne" / "0000" / f"{name}.bin", root / "training" / "velodyne")
        lines = [line.split(" ", 2)[2] for line in labels if line.startswith(f"{number} ")]
        (root / "training" / "label_2" / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "val.txt").write_text("000002\n000001\n", encoding="utf-8")
    return root


def test_frames_of_one_calibration_are_a_log(real: Path, shared_data: Path) -> None:
    assert KITTI_OBJECT.recognises(real) and KITTI_OBJECT.recognises(real / "training")
    same = (shared_data / "kitti_tracking/training/calib/0000.txt").read_bytes() == (
        shared_data / "kitti_tracking/training/calib/0017.txt"
    ).read_bytes()
    assert not same and KITTI_OBJECT.log_ids(real) == ["training-000000", "training-000003"]
    assert len(open_log(real, "training-000000")) == 3
    assert open_log(real, "val").timestamps_ns.tolist() == [1_000_000_000, 2_000_000_000]
    for log_id in ("training", "nothing", "../val", ""):
        with pytest.raises(FormatError):
            open_log(real, log_id)


def test_labels_sit_on_their_points_as_in_the_tracking_benchmark(real: Path, shared_data: Path) -> None:
    log = open_log(real, "training-000000")
    labels = read_labels(real, log)
    tracking = KITTI_TRACKING.open_log(shared_data / "kitti_tracking", "0000")
    truth = KITTI_TRACKING.read_labels(shared_data / "kitti_tracking", tracking)
    assert {len(track.annotations) for track in labels.tracks.values()} <= {0, 1}
    for number in range(3):
        theirs = {a.box.center.tobytes(): a.box for _, a in truth.at(number * 100_000_000)}
        ours = {a.box.center.tobytes(): a.box for _, a in labels.at(number * 1_000_000_000)}
        assert theirs.keys() == ours.keys() and len(ours) > 2
        points = log.sweeps["velodyne"][number].read().points
        near = [box for box in ours.values() if np.linalg.norm(box.center) < 20]
        assert near and all(points_in_box(points, box).sum() > 100 for box in near)
    assert all(id[:6].isdigit() and id[6] == "-" for id in labels.tracks)
    assert labels.attributes["kitti_dontcare"]


def test_what_belongs_to_another_format_is_not_taken(shared_data: Path, tmp_path: Path) -> None:
    assert not KITTI_OBJECT.recognises(tmp_path) and not KITTI_OBJECT.recognises(tmp_path / "no")
    for folder in shared_data.iterdir():
        assert not KITTI_OBJECT.recognises(folder), folder


def test_ten_trees_move_no_box_after_the_first(real: Path, tmp_path: Path) -> None:
    log = open_log(real, "training-000000")
    first = read_labels(real, log)
    labels, files = first, []
    for cycle in range(10):
        root = tmp_path / str(cycle)
        write(root, [(log, labels)])
        log = open_log(root, "training-000000")
        labels = read_labels(root, log)
        assert [*labels.tracks] == [*first.tracks]
        files.append([file.read_bytes() for file in sorted((root / "training" / "label_2").iterdir())])
    assert all(some == files[1] for some in files[1:])
    assert [loss.part for loss in losses(first, labels, KITTI_OBJECT.within_m)] == []
    frame = "training/label_2/000001.txt"
    assert sorted(without_alpha(tmp_path / "9" / frame)) == sorted(without_alpha(real / frame))
    scans = [np.fromfile(root / "training/velodyne/000002.bin", "<f4") for root in (tmp_path / "9", real)]
    assert np.array_equal(*scans)


def without_alpha(file: Path) -> list[tuple[str, ...]]:
    """Alpha is seen from another place, and of regions the two benchmarks do not say the same."""
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
    return [(row[0], *(f"{float(v):.5f}" for v in row[4:])) for row in rows]


def test_a_drive_keeps_points_boxes_and_images_together(tmp_path: Path) -> None:
    log, truth = simulate(replace(SimulationConfig.tiny(), seconds=0.5, vehicles=10))
    write(tmp_path / "out", [(log, truth)])
    assert KITTI_OBJECT.log_ids(tmp_path / "out") == ["training"]
    back = open_log(tmp_path / "out", log.name)
    labels = read_labels(tmp_path / "out", back)
    assert len(back) == len(log) and len(back.images["image_02"]) == len(log)
    held = []
    for k, (t, now_ns) in enumerate(
        zip(log.timestamps_ns.tolist(), back.timestamps_ns.tolist(), strict=True)
    ):
        boxes = [annotation.box for _, annotation in truth.at(t)]
        ref = log.sweep_at(t)
        assert ref is not None
        points = points_in_ego(log, read_deskewed(log, ref))
        scan = back.sweeps["velodyne"][k].read().points
        for _, annotation in labels.at(now_ns):
            sizes = [np.abs(box.size_lwh_m - annotation.box.size_lwh_m).max() for box in boxes]
            before = points_in_box(points, boxes[int(np.argmin(sizes))]).sum()
            held.append((before, points_in_box(scan, annotation.box).sum()))
    before, after = np.array(held).T
    assert len(held) > 20 and before.sum() > 500
    assert np.abs(before - after).sum() < 0.05 * before.sum()  # the tilt against the camera, near the road


def test_two_logs_share_a_tree(tmp_path: Path) -> None:
    pairs = [small_log(2, "first"), small_log(3, "second")]
    write(tmp_path / "out", pairs, images="jpg")
    second = open_log(tmp_path / "out", "second")
    assert second.timestamps_ns.tolist() == [n * 1_000_000_000 for n in (2, 3, 4)]
    ref = second.sweeps["velodyne"][0]
    log = pairs[1][0]
    frame_ns = int(log.timestamps_ns[0])
    original = log.sweep_at(frame_ns)
    assert original is not None and len(points_in_ego(log, read_deskewed(log, original))) == len(ref.read())
    before = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    write(tmp_path / "again", pairs, images="jpg")
    after = {p.relative_to(tmp_path / "again"): p.read_bytes() for p in (tmp_path / "again").rglob("*.*")}
    assert before == after
    with pytest.raises(FormatError, match="two logs of this name"):
        write(tmp_path / "no", [small_log(2), small_log(2)])
    assert not (tmp_path / "no").exists()


@settings(max_examples=20)
@given(label_sets())
def test_any_labels_lose_only_what_is_declared(
    tmp_path_factory: pytest.TempPathFactory, labels: LabelSet
) -> None:
    log = replace(small_log(2)[0], name="any")
    root = tmp_path_factory.mktemp("object")
    write_labels(root, log, labels)
    kitti = tmp_path_factory.getbasetemp() / "any"
    if not kitti.exists():
        write(kitti, [small_log(2)])
    back = open_log(kitti, "training")
    after = read_labels(root, replace(back, name=log.name))
    assert {loss.part for loss in losses(labels, after, KITTI_OBJECT.within_m)} <= KITTI_OBJECT.drops


def test_scores_come_back_to_six_digits(tmp_path: Path) -> None:
    log, labels = small_log(2)
    write(tmp_path / "out", [(log, labels)])
    back = open_log(tmp_path / "out", "training")
    scores = {
        a.score
        for track in read_labels(tmp_path / "out", back).tracks.values()
        for a in track.annotations.values()
    }
    assert 0.51 in scores and None not in scores
    assert Part.IDS in KITTI_OBJECT.drops


def test_random_damage(tmp_path: Path) -> None:
    make_kitti_object(tmp_path / "out")
    training = tmp_path / "out" / "training"

    def read() -> None:
        for log_id in KITTI_OBJECT.log_ids(tmp_path / "out"):
            log = open_log(tmp_path / "out", log_id)
            read_labels(tmp_path / "out", log)
            for ref in log.sweeps["velodyne"]:
                ref.read()

    for part in ("calib", "label_2", "velodyne"):
        file = sorted((training / part).iterdir())[0]
        told, _ = survive([file], read, 120)
        assert told > 10, part
    frames = tmp_path / "out" / "ImageSets" / "drive.txt"
    survive([frames], lambda: open_log(tmp_path / "out", "drive"), 120)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Car 0 0 1\n", "line 1: 4 columns"),
        ("Car 0 0 0 1 2 3 4 1 1 x 0 0 9 0\n", "line 1"),
        ("Car 0 0 0 1 2 3 4 1 1 nan 0 0 9 0\n", "line 1"),
        ("Car 0 0 0 1 2 3 4 1 0 1 0 0 9 0\n", "a box of height"),
    ],
)
def test_damaged_lines(tmp_path: Path, text: str, said: str) -> None:
    make_kitti_object(tmp_path / "out")
    file = tmp_path / "out" / "training" / "label_2" / "000001.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        read_labels(tmp_path / "out", open_log(tmp_path / "out", "training"))
    assert said in str(raised.value) and str(file) in str(raised.value)
