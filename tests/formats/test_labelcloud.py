"""labelCloud: three ways to say a box, real labels over and over, other people's files, damaged ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from calib import SE3
from formats.errors import FormatError
from formats.fields import Field
from formats.kitti_tracking import KITTI_TRACKING
from formats.labelcloud import LABELCLOUD
from formats.labelcloud.boxes import KINDS, box_content, read_box
from formats.labelcloud.read import read_labels
from formats.labelcloud.write import write, write_labels
from formats.losses import losses
from formats.pandaset import PANDASET
from formats.pointcloud import read_points
from formats.sustech import SUSTECHPOINTS
from fusion import Box3D, DriveLog, LabelSet, Source
from tests.formats.damage import survive
from tests.formats.small import small_log
from tests.fusion.label_strategies import boxes, label_sets

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
EGO_FROM_LIDAR = SE3.from_quaternion_wxyz((0.9, 0.1, -0.2, 0.4), (1, 2, 3))


def make_labelcloud(folder: Path) -> None:
    """Two clouds with their labels, `<folder>/drive`."""
    write(folder, [small_log(2)])


def held(labels: LabelSet) -> LabelSet:
    """Boxes on this side of 100 km, so that no digit is lost on the way to the frame of the cloud."""
    tracks = [
        replace(
            track,
            annotations={t: a for t, a in track.annotations.items() if np.abs(a.box.center).max() < 1e5},
        )
        for track in labels.tracks.values()
    ]
    return replace(labels, tracks={track.id: track for track in tracks})


@settings(max_examples=30)
@given(label_sets())
def test_whatever_can_be_labelled_comes_back(
    tmp_path_factory: pytest.TempPathFactory, drawn: LabelSet
) -> None:
    labels, log = held(drawn), small_log(2)[0]
    folder = tmp_path_factory.mktemp("labelcloud")
    write_labels(folder, log, labels)
    assert losses(labels, read_labels(folder, log)) == []


@settings(max_examples=100)
@given(boxes())
def test_three_ways_to_say_a_box(drawn: Box3D) -> None:
    box = Box3D(SE3(drawn.ego_from_box.rotation, drawn.center % 100), *np.clip(drawn.size_lwh_m, 0.1, 50))
    lidar_from_ego = EGO_FROM_LIDAR.inverse()
    for kind in KINDS:
        said = json.loads(json.dumps(box_content(box, lidar_from_ego, kind)))
        again = read_box(Field(Path("x"), "", said), EGO_FROM_LIDAR, kind == "centroid_abs")
        assert np.abs(again.corners() - box.corners()).max() < 1e-9
        if kind == "centroid_abs":
            assert all(0 <= turn <= 360 for turn in said["rotations"].values())


@pytest.mark.parametrize("kind", KINDS)
def test_ten_cycles_of_real_labels(shared_data: Path, tmp_path: Path, kind: str) -> None:
    path = shared_data / "sustechpoints"
    log = SUSTECHPOINTS.open_log(path, "sustechpoints")  # type: ignore[misc]
    first = current = SUSTECHPOINTS.read_labels(path, log)  # type: ignore[misc]
    for cycle in range(10):
        write(tmp_path / str(cycle), [(log, current)], boxes=kind)
        current = read_labels(tmp_path / str(cycle), log)
    assert losses(first, current) == []
    assert sorted(file.name for file in (tmp_path / "9/sustechpoints/labels").iterdir()) == [
        "000965.json",
        "000970.json",
        "000975.json",
        "_classes.json",
    ]
    cloud = read_points(tmp_path / "9/sustechpoints/pointclouds/000970.pcd")
    assert np.array_equal(cloud.points, log.sweeps["lidar"][1].read().points)


def test_a_real_drive_comes_back(shared_data: Path, tmp_path: Path) -> None:
    log = PANDASET.open_log(shared_data / "pandaset", "002")
    labels = PANDASET.read_labels(shared_data / "pandaset", log)
    write_labels(tmp_path, log, labels)
    assert losses(labels, read_labels(tmp_path, log)) == []


def test_folders_are_found(tmp_path: Path, shared_data: Path) -> None:
    make_labelcloud(tmp_path / "out")
    for path, name in (("out", "drive"), ("out/drive", "drive"), ("out/drive/labels", "drive")):
        assert LABELCLOUD.recognises(tmp_path / path) and LABELCLOUD.log_ids(tmp_path / path) == [name]
        assert read_labels(tmp_path / path, small_log(2)[0]).annotation_count == 2
    for folder in (tmp_path, tmp_path / "out/drive/pointclouds", *shared_data.iterdir()):
        assert not LABELCLOUD.recognises(folder), folder
    with pytest.raises(FormatError, match="holds no labels"):
        read_labels(tmp_path, small_log(2)[0])


def foreign(folder: Path, name: str, objects: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"folder": "pcd", "filename": f"{name}.bin", "path": f"pcd/{name}.bin", "objects": objects}
    (folder / f"{name}.json").write_text(json.dumps(content, indent="\t"), encoding="utf-8")


def centroid(**others: Any) -> dict[str, Any]:
    return {
        "name": "cart",
        "centroid": {"x": 10, "y": 2, "z": -1},
        "dimensions": {"length": 4, "width": 2, "height": 1.5},
        "rotations": {"x": 0, "y": 0, "z": 1},
    } | others


@pytest.fixture
def kitti(shared_data: Path) -> DriveLog:
    return KITTI_TRACKING.open_log(shared_data / "kitti_tracking", "0000")  # type: ignore[misc]


def test_files_of_the_program(kitti: DriveLog, tmp_path: Path) -> None:
    """It knows no tracks; a cloud belongs to the frame whose file has its name."""
    foreign(tmp_path, "000003", [centroid(), centroid(name="van")])
    labels = read_labels(tmp_path, kitti)
    assert {id: t.category for id, t in labels.tracks.items()} == {"000003/0": "cart", "000003/1": "van"}
    (one,) = labels.tracks["000003/0"].annotations.values()
    assert one.timestamp_ns == 300_000_000 and one.source is Source.IMPORTED
    assert np.allclose(one.box.center, (10, 2, -1)) and one.box.yaw_rad == pytest.approx(1.0)


def test_degrees_are_told_by_the_classes_or_by_their_size(kitti: DriveLog, tmp_path: Path) -> None:
    foreign(tmp_path / "a", "000003", [centroid(rotations={"x": 0, "y": 0, "z": 3}), centroid()])
    yaw = [t.annotations[300_000_000].box.yaw_rad for t in read_labels(tmp_path / "a", kitti).tracks.values()]
    assert yaw == pytest.approx([3, 1])
    (tmp_path / "a" / "_classes.json").write_text('{"format": "centroid_abs"}', encoding="utf-8")
    yaw = [t.annotations[300_000_000].box.yaw_rad for t in read_labels(tmp_path / "a", kitti).tracks.values()]
    assert yaw == pytest.approx(np.radians([3, 1]))
    foreign(tmp_path / "b", "000003", [centroid(rotations={"x": 0, "y": 0, "z": 190}), centroid()])
    yaw = [t.annotations[300_000_000].box.yaw_rad for t in read_labels(tmp_path / "b", kitti).tracks.values()]
    assert yaw == pytest.approx(np.radians([-170, 1]))


CASES: dict[str, tuple[Any, str]] = {
    "no centroid": ({"name": "a", "rotations": {"x": 0, "y": 0, "z": 0}}, "without the key 'centroid'"),
    "no name": ({key: v for key, v in centroid().items() if key != "name"}, "without the key 'name'"),
    "flat": (centroid(dimensions={"length": 4, "width": 0, "height": 1}), "positive"),
    "far": (centroid(centroid={"x": 1e300, "y": 2, "z": 3}), "this far away"),
    "word": (centroid(rotations={"x": "a", "y": 2, "z": 3}), "must be a finite number"),
    "few corners": ({"name": "a", "vertices": [[0, 0, 0]] * 7}, "needs 24 numbers"),
    "one corner": ({"name": "a", "vertices": [[0, 0, 0]] * 8}, "corners in one plane"),
    "mirrored": (
        {"name": "a", "vertices": [[x, y, z] for z in (1, 0) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))]},
        "mirror",
    ),
    "skewed": (
        {
            "name": "a",
            "vertices": [[x + z, y, z] for z in (0, 1) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))],
        },
        "not a rigid",
    ),
    "twice": (centroid(crosslabel={"track": "a", "source": "human"}), "stands twice"),
    "source": (centroid(crosslabel={"track": "b", "source": "me"}), "must be one of"),
}


@pytest.mark.parametrize("case", CASES)
def test_damaged_labels(kitti: DriveLog, tmp_path: Path, case: str) -> None:
    entry, said = CASES[case]
    foreign(tmp_path, "000003", [centroid(crosslabel={"track": "a", "source": "human"}), entry])
    with pytest.raises(FormatError) as raised:
        read_labels(tmp_path, kitti)
    message = str(raised.value)
    assert said in message and "000003.json: objects.1" in message and "\n" not in message


def test_a_cloud_that_the_log_has_not(kitti: DriveLog, tmp_path: Path) -> None:
    foreign(tmp_path, "other", [])
    with pytest.raises(FormatError, match=r"other\.json: no cloud of the log has this name"):
        read_labels(tmp_path, kitti)


def test_random_damage(tmp_path: Path) -> None:
    make_labelcloud(tmp_path)
    log, folder = small_log(2)[0], tmp_path / "drive"
    files = [next((folder / "labels").glob("ns*.json")), folder / "labels" / "_classes.json"]
    for file in [*files, folder / "crosslabel.json"]:
        told, done = survive([file], partial(read_labels, tmp_path, log), 120)
        assert told > 20 and done > 0, file


def test_options_and_names_that_do_not_fit(make_log: MakeLog, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'cubes' is none of centroid_rel"):
        write(tmp_path / "out", [], boxes="cubes")
    for name in ("../x", "a/b", ""):
        with pytest.raises(FormatError):
            write_labels(tmp_path, *make_log(name))
    with pytest.raises(FormatError, match="two logs"):
        write(tmp_path / "out", [small_log(2), small_log(2)])
    assert list(tmp_path.iterdir()) == []
