"""COCO written, and read back with pycocotools."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO as Pycoco
from pycocotools.cocoeval import COCOeval

from formats.coco import COCO, write, write_labels
from formats.errors import FormatError
from formats.images import read_rgb
from formats.kitti_tracking import KITTI_TRACKING
from formats.pandaset import PANDASET
from fusion import DriveLog, ImageBox, LabelSet, Source
from tests.formats.small import small_log

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[DriveLog, LabelSet, Pycoco]:
    path = shared_data / "pandaset"
    log = PANDASET.open_log(path, "002")
    labels = PANDASET.read_labels(path, log)
    file = tmp_path_factory.mktemp("coco") / "002.json"
    write_labels(file, log, labels)
    return log, labels, Pycoco(str(file))


def test_pycocotools_reads_every_box(real: tuple[DriveLog, LabelSet, Pycoco]) -> None:
    log, labels, coco = real
    assert len(coco.getImgIds()) == sum(len(images) for images in log.images.values())
    assert len(coco.getAnnIds()) > 1000
    names = {category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert names <= {track.category for track in labels.tracks.values()} and len(names) > 5
    for row in coco.loadAnns(coco.getAnnIds()):
        x, y, width, height = row["bbox"]
        image = coco.loadImgs(row["image_id"])[0]
        assert 0 <= x < x + width <= image["width"] and 0 <= y < y + height <= image["height"]
        track = labels.tracks[row["attributes"]["track"]]
        assert coco.loadCats(row["category_id"])[0]["name"] == track.category
        assert row["attributes"]["source"] == "imported" and row["attributes"]["derived"] is True


def test_boxes_hold_the_points_of_their_objects(real: tuple[DriveLog, LabelSet, Pycoco]) -> None:
    """Of a box that lies ahead, the points inside it fall into the rectangle."""
    from fusion.align import cloud_in_image, points_in_ego
    from fusion.overlap import points_in_box

    log, labels, coco = real
    image = log.images["front_camera"][20]
    frame_ns = int(log.timestamps_ns[np.abs(log.timestamps_ns - image.timestamp_ns).argmin()])
    ref = log.sweep_at(frame_ns)
    assert ref is not None
    sweep = ref.read()
    points, seen = points_in_ego(log, sweep), cloud_in_image(log, sweep, image)
    (image_id,) = [
        row["id"]
        for row in coco.loadImgs(coco.getImgIds())
        if row["crosslabel"] == {"log": "002", "camera": image.camera, "timestamp_ns": image.timestamp_ns}
    ]
    checked = 0
    for row in coco.loadAnns(coco.getAnnIds(imgIds=[image_id])):
        box = labels.tracks[row["attributes"]["track"]].annotations.get(frame_ns)
        if box is None:
            continue
        inside = seen.uv_px[points_in_box(points, box.box)[seen.index]] + 0.5
        x, y, width, height = row["bbox"]
        if len(inside) > 30:
            held = ((inside >= (x - 3, y - 3)) & (inside <= (x + width + 3, y + height + 3))).all(axis=1)
            assert held.mean() > 0.95
            checked += 1
    assert checked > 5


def test_boxes_are_their_own_perfect_detections(real: tuple[DriveLog, LabelSet, Pycoco]) -> None:
    coco = real[2]
    rows = coco.loadAnns(coco.getAnnIds())
    found = [{key: row[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0} for row in rows]
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.params.maxDets = [1, 10, 500]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][..., -1]
    assert precision[precision > -1].min() > 0.999


def test_rectangles_that_people_drew_come_first(shared_data: Path, tmp_path: Path) -> None:
    """KITTI's own are written as they are, but for half a pixel."""
    log = KITTI_TRACKING.open_log(shared_data / "kitti_camera_lidar", "0052")
    image = log.images["image_02"][0]
    labels, key = small_log()[1], ("image_02", image.timestamp_ns)
    drawn = ImageBox(-5, 100, 200.25, 150, Source.HUMAN, 0.5)
    track = replace(labels.tracks["ghost"], image_boxes={key: drawn, ("image_02", 7): drawn})
    write(tmp_path / "out", [(log, LabelSet.of([track])), (replace(log, name="b"), LabelSet.of([track]))])
    content = json.loads((tmp_path / "out" / "annotations" / "instances.json").read_text(encoding="utf-8"))
    first, second = content["annotations"]
    assert first["bbox"] == [0.0, 100.5, 200.75, 50.0] and first["area"] == 200.75 * 50
    assert first["attributes"] == {"track": "ghost", "source": "human", "score": 0.5, "instance": 1}
    assert second["attributes"]["instance"] == 2 and second["image_id"] == 13
    assert content["categories"] == [{"id": 1, "name": "Car", "supercategory": "car"}]
    name = content["images"][0]["file_name"]
    assert np.array_equal(read_rgb(tmp_path / "out" / "images" / name), image.read())


def test_same_input_same_bytes(make_log: MakeLog, tmp_path: Path) -> None:
    pairs = [make_log()]
    for name in ("a", "b"):
        write(tmp_path / name, pairs, images="none")
    file = Path("annotations") / "instances.json"
    assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    rows = json.loads((tmp_path / "a" / file).read_text(encoding="utf-8"))["annotations"]
    assert {row["attributes"]["track"] for row in rows} == {"car/1", "walker"}
    assert not (tmp_path / "a" / "images").exists()


def test_nothing_is_left_after_an_error(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log("../x")
    with pytest.raises(FormatError, match="leads out"):
        write(tmp_path / "out", [(log, labels)])
    with pytest.raises(FormatError, match="leads out"):
        write_labels(tmp_path / "out", log, labels)
    with pytest.raises(FormatError, match="is none of copy, none"):
        write(tmp_path / "out", [], images="link")
    assert list(tmp_path.iterdir()) == []
    assert not COCO.recognises(tmp_path) and COCO.log_ids(tmp_path) == []
