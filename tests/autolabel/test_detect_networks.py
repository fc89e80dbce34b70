"""Detectors that others have trained, and what cameras say of boxes."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autolabel.detect.camera import CameraDetector, hidden
from autolabel.detect.lidar_network import LidarNetwork, VoxelInputs, voxelised
from autolabel.detect.networks import Network
from autolabel.detect.yolox import ImageFindings, Yolox, decoded, letterboxed
from autolabel.detections import Detections
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.errors import CrosslabelError
from calib.types import F64, U8
from formats.pandaset import PANDASET
from fusion.boxes import Boxes
from fusion.labels import LabelSet
from fusion.simulate import SimulationConfig, simulate


@pytest.fixture(scope="module")
def drive() -> tuple[Scans, LabelSet]:
    log, truth = simulate(SimulationConfig.tiny())
    return Scans(LocalWorld.of(log)), truth


class Truth:
    """A detector that knows, of one category, with scores in the middle."""

    calibrated = True

    def __init__(self, truth: LabelSet, category: str = "car", called: str = "car") -> None:
        self.truth, self.category, self.called = truth, category, called

    def detect(self, scans: Scans, frame: int) -> Detections:
        frame_ns = int(scans.frames_ns[frame])
        boxes = Boxes.stack(a.box for track, a in self.truth.at(frame_ns) if track.category == self.category)
        local_from_ego = scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0]
        count = len(boxes)
        times_ns = np.full(count, frame_ns)
        return Detections(times_ns, boxes.moved(local_from_ego), np.full(count, 0.5), (self.called,) * count)


class Seen:
    """A network of images that always sees the same."""

    def __init__(self, boxes_px: F64, category: str = "bus") -> None:
        count = len(boxes_px)
        self.findings = ImageFindings(boxes_px, np.full(count, 0.9), (category,) * count)

    def find(self, image: U8) -> ImageFindings:
        assert image.ndim == 3
        return self.findings


def test_a_camera_that_sees_nothing_makes_what_it_should_see_unlikelier(
    drive: tuple[Scans, LabelSet],
) -> None:
    scans, truth = drive
    found = CameraDetector(Truth(truth), Seen(np.empty((0, 4)))).detect(scans, 1)
    assert found.scores.max() == pytest.approx(0.5)
    assert found.scores.min() < 0.3


def test_a_2d_box_makes_its_box_likelier_and_names_it(drive: tuple[Scans, LabelSet]) -> None:
    from autolabel.detect.camera import projected
    from fusion.beam import image_of_frame

    scans, truth = drive
    log, frame_ns = scans.world.log, int(scans.frames_ns[1])
    boxes = Boxes.stack(a.box for track, a in truth.at(frame_ns) if track.category == "car")
    for camera in log.rig.cameras:
        image = image_of_frame(log, camera, frame_ns)
        assert image is not None
        rectangles, depths_m, share = projected(log, image, frame_ns, boxes)
        shown = np.flatnonzero((share > 0.5) & ~hidden(rectangles, depths_m))
        if len(shown):
            break
    row = shown[np.argmin(depths_m[shown])]
    found = CameraDetector(Truth(truth, called="truck"), Seen(rectangles[[row]], "car"), (camera,)).detect(
        scans, 1
    )
    assert found.scores[0] > 0.8
    assert found.categories[0] == "car"
    assert sum(name == "car" for name in found.categories) == 1
    found = CameraDetector(Truth(truth), Seen(rectangles[[row]], "bus"), (camera,)).detect(scans, 1)
    assert found.scores[0] > 0.8
    assert "bus" not in found.categories  # none is as short as a car


def test_what_is_behind_something_is_hidden() -> None:
    rectangles = np.array([[0.0, 0, 10, 10], [2, 2, 8, 8], [20, 20, 30, 30]])
    assert hidden(rectangles, np.array([5.0, 9.0, 9.0])).tolist() == [False, True, False]


def test_what_yolox_says_is_decoded() -> None:
    raw = np.zeros((52 * 52 + 26 * 26 + 13 * 13, 85), dtype=np.float32)
    raw[52 * 3 + 7, :6] = [0.5, 0.25, np.log(2), np.log(4), 0.9, 0.8]
    boxes, scores = decoded(raw, 416)
    np.testing.assert_allclose(boxes[52 * 3 + 7], [52, 10, 68, 42])
    assert scores[52 * 3 + 7, 0] == pytest.approx(0.72)


def test_images_are_put_into_a_grey_square() -> None:
    square, scale = letterboxed(np.full((108, 192, 3), (10, 20, 30), dtype=np.uint8), 416)
    assert square.shape == (1, 3, 416, 416)
    assert scale == pytest.approx(416 / 192)
    assert square[0, :, 100, 100].tolist() == [30, 20, 10]
    assert (square[0, :, 300:] == 114).all()


def test_voxels_hold_the_points_they_should() -> None:
    rng = np.random.default_rng(3)
    rows = rng.uniform(-12, 12, (3000, 4)).astype(np.float32)
    spec = VoxelInputs(
        values="v", coordinates="c", counts="n", range_m=(-10, -8, -3, 10, 8, 3), size_m=(0.5, 0.5, 6),
        most_points=4, most_voxels=900,
    )  # fmt: skip
    values, coordinates, counts = voxelised(rows, spec)
    twin: dict[tuple[int, int], list[np.ndarray]] = {}
    for row in rows:
        if (row[:3] >= spec.range_m[:3]).all() and (row[:3] < spec.range_m[3:]).all():
            cell = (int((row[0] + 10) / 0.5), int((row[1] + 8) / 0.5))
            if cell in twin or len(twin) < 900:
                twin.setdefault(cell, []).append(row)
    assert len(values) == len(twin)
    for (x, y), own, value, place, count in zip(
        twin, twin.values(), values, coordinates, counts, strict=True
    ):
        assert place.tolist() == [0, 0, y, x]
        assert count == min(len(own), 4)
        np.testing.assert_array_equal(value[:count], own[:4])
        assert (value[count:] == 0).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "not a JSON object"),
        ("{", "Expecting property name"),
        ("{}", "categories: Field required"),
        ('{"categories": ["car"]}', "name one of the two"),
        ('{"categories": ["car"], "points": "p", "colour": 3}', "colour: Extra inputs"),
    ],
)
def test_a_description_that_is_none_is_said_to_be_none(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(CrosslabelError, match=said):
        LidarNetwork.open(tmp_path / "net.onnx")


def test_without_onnxruntime_one_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CrosslabelError, match="needs onnxruntime"):
        Network.open(tmp_path / "net.onnx")


def test_a_file_that_is_no_network_is_said_to_be_none(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    with pytest.raises(CrosslabelError, match="not a network"):
        Network.open(tmp_path / "net.onnx")


def test_a_network_of_points_is_a_detector(tmp_path: Path, drive: tuple[Scans, LabelSet]) -> None:
    pytest.importorskip("onnxruntime")
    scans = drive[0]
    network = always(tmp_path, [[10.0, 2, -1, 4.5, 1.8, 1.5, 0.3], [5, -3, -1, 0.8, 0.6, 1.7, 0]], [0.4, 0.9])
    found = network.detect(scans, 2)
    main = scans.world.log.rig.main_lidar
    assert main is not None
    local_from_lidar = scans.world.local_from_ego(scans.frames_ns[2:3])[0] @ main.ego_from_sensor
    assert found.categories == ("pedestrian", "car")
    np.testing.assert_allclose(found.scores, [0.9, 0.4], rtol=1e-6)
    np.testing.assert_allclose(
        found.boxes.dst_from_box.translations,
        local_from_lidar @ np.array([[5.0, -3, -1], [10, 2, -1]]),
        atol=1e-5,
    )
    with pytest.raises(CrosslabelError, match="other"):
        renamed = network.description.model_copy(update={"points": "other"})
        replace(network, description=renamed).detect(scans, 2)


def always(folder: Path, boxes: list[list[float]], scores: list[float]) -> LidarNetwork:
    """A network that takes points and says the same of any."""
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    constants = {"boxes": boxes, "scores": scores, "labels": [float(k) for k in range(len(scores))]}
    nodes = [helper.make_node("ReduceSum", ["points"], ["sum"], keepdims=0)]
    nodes.append(helper.make_node("Mul", ["sum", "zero"], ["nothing"]))
    kept = [onnx.numpy_helper.from_array(np.float32(0), "zero")]
    for name, values in constants.items():
        kept.append(onnx.numpy_helper.from_array(np.array(values, dtype=np.float32), f"own_{name}"))
        nodes.append(helper.make_node("Add", [f"own_{name}", "nothing"], [name]))
    outputs = [helper.make_tensor_value_info(name, floats, None) for name in constants]
    graph = helper.make_graph(
        nodes, "always", [helper.make_tensor_value_info("points", floats, [None, 4])], outputs, kept
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(folder / "net.onnx"))
    (folder / "net.json").write_text(json.dumps({"points": "points", "categories": ["car", "pedestrian"]}))
    return LidarNetwork.open(folder / "net.onnx")


def test_yolox_sees_the_cars_of_a_real_street(shared_data: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = shared_data / "pandaset" / "002"
    log = PANDASET.open_log(folder, PANDASET.log_ids(folder)[0])
    found = Yolox.open(shared_data / "models" / "yolox_nano.onnx").find(log.images["front_camera"][11].read())
    assert found.categories.count("car") >= 4
    assert (np.diff(found.scores) <= 0).all()
