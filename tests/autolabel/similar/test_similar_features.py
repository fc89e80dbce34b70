"""What is measured of objects: shapes, colours, motion, and the views they are cut from."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autolabel.similar import Embedding, described, features_of, look, shape
from autolabel.similar.features import WIDTH, columns_of
from autolabel.similar.gather import first_in_cells, frames_of, gather
from autolabel.similar.motion import motion
from autolabel.similar.views import Rectangles, views_of
from autolabel.world import LocalWorld
from calib.errors import CrosslabelError
from calib.types import F32, F64
from fusion.boxes import Box3D, Boxes
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.simulate import Drive, SimulationConfig
from tests.in_memory import in_memory

SIZE = np.array([4.0, 2.0, 1.5])


@pytest.fixture(scope="module")
def drive() -> tuple[DriveLog, LabelSet]:
    made = Drive(replace(SimulationConfig.tiny(), seed=3, rings=48, azimuth_steps=700))
    return in_memory(made.log()), made.labels()


def surface(rng: np.random.Generator, count: int) -> F32:
    """Points on the faces of a box of `SIZE`."""
    points = rng.uniform(-0.5, 0.5, (count, 3))
    axis = rng.integers(0, 3, count)
    points[np.arange(count), axis] = np.sign(points[np.arange(count), axis]) / 2
    return np.asarray(points * SIZE, np.float32)


def wedge(rng: np.random.Generator, count: int) -> F32:
    """Points on a slope that rises from front to back."""
    along, across = rng.uniform(-0.5, 0.5, (2, count))
    return np.asarray(np.column_stack([along, across, -along]) * SIZE, np.float32)


def test_an_outline_says_how_high_each_slice_reaches() -> None:
    places = shape.relative(wedge(np.random.default_rng(0), 4000), SIZE)
    tops = shape.outline(places)[: shape.COLUMNS]
    assert (np.diff(tops) < 0).all()
    assert tops[0] == pytest.approx(0.99, abs=0.03) and tops[-1] == pytest.approx(0.095, abs=0.03)


def test_an_empty_slice_takes_what_lies_between_its_neighbours() -> None:
    points = wedge(np.random.default_rng(0), 4000)
    whole = shape.outline(shape.relative(points, SIZE))[: shape.COLUMNS]
    holed = points[np.abs(points[:, 0]) > 0.55]
    assert shape.outline(shape.relative(holed, SIZE))[: shape.COLUMNS] == pytest.approx(whole, abs=0.06)


@pytest.mark.parametrize("form", [surface, wedge])
def test_shapes_do_not_depend_on_scale_on_side_or_on_how_many_points(form) -> None:
    def told(points: F32, size: F64) -> F64:
        places = shape.relative(points, size)
        return np.concatenate([shape.outline(places), shape.occupancy(places), shape.distances(points, size)])

    points = form(np.random.default_rng(0), 6000)
    mirrored = points * np.array([1, -1, 1], np.float32)
    expected = told(points, SIZE)
    assert told(points * 2, SIZE * 2) == pytest.approx(expected, abs=1e-6)
    assert told(mirrored, SIZE)[: -shape.DISTANCES] == pytest.approx(expected[: -shape.DISTANCES], abs=1e-6)
    assert told(form(np.random.default_rng(1), 2000), SIZE) == pytest.approx(expected, abs=0.09)


def test_distances_are_those_of_the_pairs() -> None:
    points = surface(np.random.default_rng(0), 100)
    pairs = np.random.default_rng(0).integers(0, 100, (2, shape.PAIRS))
    lengths = [float(np.linalg.norm(points[a] - points[b])) for a, b in pairs.T]
    edges = np.linspace(0, 1, shape.DISTANCES + 1) * np.linalg.norm(SIZE)
    counts = np.histogram(lengths, edges)[0]
    assert shape.distances(points, SIZE) ** 2 * shape.PAIRS == pytest.approx(counts, abs=1.5)


def test_planes_lines_and_clouds_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    flat = np.column_stack([rng.uniform(-2, 2, (900, 2)), np.zeros(900)]).astype(np.float32)
    line = np.column_stack([np.linspace(-2, 2, 900), np.zeros((900, 2))]).astype(np.float32)
    cloud = rng.uniform(-1, 1, (900, 3)).astype(np.float32)
    linear, planar, scattered, up = np.array([shape.surfaces(p)[:4] for p in (flat, line, cloud)]).T
    assert planar.argmax() == 0 and linear.argmax() == 1 and scattered.argmax() == 2
    assert up[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_hardly_any_points_nothing_is_told(count: int) -> None:
    points = np.zeros((count, 3), np.float32)
    places = shape.relative(points, SIZE)
    told = (shape.outline(places), shape.occupancy(places), shape.distances(points, SIZE))
    told += (shape.surfaces(points), shape.brightness(np.zeros(count, np.float32)))
    assert all(np.isnan(values).all() for values in told)


def test_one_point_a_cell_is_kept_the_first() -> None:
    points = np.array([[0.01, 0, 0], [0.02, 0, 0], [-0.01, 0, 0], [0.5, 0, 0]], np.float32)
    assert first_in_cells(points, 0.1).tolist() == [0, 2, 3]
    assert first_in_cells(points, 0.1, in_space=True).tolist() == [2, 0, 3]


def test_colours_tell_red_from_blue_and_grey_from_both() -> None:
    def filled(rgb: tuple[int, int, int]) -> F64:
        return look.colours(np.full((64, 64, 3), rgb, np.uint8))

    red, dark_red, blue, grey = map(filled, ((200, 20, 20), (130, 10, 12), (20, 30, 200), (128, 128, 128)))
    assert np.linalg.norm(red - dark_red) < 0.3 < np.linalg.norm(red - blue)
    assert grey[: look.HUES].max() == 0.0 and (grey**2).sum() == pytest.approx(1.0)


def test_gradients_tell_upright_stripes_from_flat_ones_in_any_light() -> None:
    stripes = np.where(np.arange(64) // 4 % 2, 200, 60).astype(np.uint8)
    upright = np.repeat(np.tile(stripes, (64, 1))[..., None], 3, axis=2)
    flat = upright.transpose(1, 0, 2)
    dim = (upright * 0.6).astype(np.uint8)
    assert np.linalg.norm(look.gradients(upright) - look.gradients(dim)) < 0.1
    assert np.linalg.norm(look.gradients(upright) - look.gradients(flat)) > 1.0


def test_motion_is_speed_share_and_turning(make_log, make_track) -> None:
    log = make_log()
    seconds = np.arange(41) / 10
    straight = np.column_stack([5 + 6.0 * seconds, np.full(41, 3.0), np.zeros(41)])
    moving = make_track("a", "car", log, straight, np.zeros(41), (4, 2, 1.5))
    parked = make_track("b", "car", log, np.tile([9.0, 3, 0], (41, 1)), np.zeros(41), (4, 2, 1.5))
    world = LocalWorld.of(log)
    assert motion(world, moving) == pytest.approx([np.log(7), np.log(7), 1, 0], abs=1e-4)
    assert motion(world, parked) == pytest.approx([0, 0, 0, 0], abs=1e-6)
    first = next(iter(parked.annotations.values()))
    assert np.isnan(motion(world, Track.of("c", "car", [first]))).all()


def test_points_are_those_in_the_box_in_its_own_frame(drive) -> None:
    log, labels = drive
    tracks = described(labels)
    clouds = gather(log, tracks)
    assert sum(len(cloud.points_box) > 50 for cloud in clouds) > 5
    for track, cloud in zip(tracks, clouds, strict=True):
        half = next(iter(track.annotations.values())).box.size_lwh_m / 2
        assert (np.abs(cloud.points_box) <= half + 0.05).all()
        assert set(cloud.counts) == set(frames_of(log, track))
        assert sum(cloud.counts.values()) >= len(cloud.points_box)
        assert ((cloud.brightness >= 0) & (cloud.brightness <= 1)).all()


def test_what_stands_before_an_object_hides_it(drive) -> None:
    log, _ = drive
    image = log.images["front" if "front" in log.images else next(iter(log.images))][0]
    ego_from_cam = log.rig.cameras[image.camera].ego_from_sensor
    near, far = (ego_from_cam @ np.array([[0.0, 0.0, depth]]) for depth in (8.0, 16.0))
    boxes = Boxes.stack(Box3D.upright(place[0], (2, 2, 2), 0.0) for place in (near, far))
    frame_ns = int(log.timestamps_ns[0])
    found = Rectangles.of(log, image, frame_ns, boxes)
    alone = Rectangles.of(log, image, frame_ns, boxes.take(np.array([1])))
    assert found.shown[0] == pytest.approx(1.0) and found.shown[1] < 0.2
    assert alone.shown[0] == pytest.approx(1.0)


def test_features_do_not_depend_on_the_order_of_the_tracks_and_are_the_same_twice(drive) -> None:
    log, labels = drive
    backwards = LabelSet.of(reversed(list(labels.tracks.values())))
    one, other = features_of(log, labels), features_of(log, backwards)
    assert one.values.tobytes() == other.values.tobytes() and one.points.tobytes() == other.points.tobytes()
    assert one.values.shape == (len(labels.tracks), WIDTH) and (one.sides_px > 0).any()


def test_an_object_without_points_and_images_has_its_size_and_no_shape(drive) -> None:
    log, _ = drive
    unseen = [
        Annotation(int(t), Box3D.upright((0.0, 300.0, 40.0), (4, 2, 1.5), 0.0)) for t in log.timestamps_ns[:1]
    ]
    found = features_of(log, LabelSet.of([Track.of("x", "car", unseen), Track("empty", "car")]))
    assert len(found) == 1 and found.points[0] == 0 and found.sides_px[0] == 0
    assert found.values[0, columns_of()["size"]] == pytest.approx(np.sqrt([4, 2, 1.5]), abs=1e-6)
    assert np.isnan(found.values[0, 3:]).all()


def test_a_log_without_sweeps_and_images_is_measured_too(make_log, make_track) -> None:
    log = make_log()
    track = make_track("a", "car", log, np.tile([9.0, 3, 0], (41, 1)), np.zeros(41), (4, 2, 1.5))
    found = features_of(log, LabelSet.of([track]))
    assert found.points.tolist() == [0] and np.isfinite(found.values[0, columns_of()["motion"]]).all()
    assert views_of(log, LabelSet.of([track]), [track], [{}]) == [None]


def network(path: Path, outputs: list[int]) -> Path:
    """The mean colour of each quarter of an image, or a single number where one is asked for."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("AveragePool", ["image"], ["pooled"], kernel_shape=[16, 16], strides=[16, 16])]
    if len(outputs) == 2:
        nodes.append(helper.make_node("Flatten", ["pooled"], ["out"]))
    elif len(outputs) == 3:
        nodes.append(helper.make_node("Squeeze", ["pooled"], ["out"]))
    else:
        nodes[0].output[0] = "out"
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("image", floats, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("out", floats, outputs)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(("outputs", "length"), [([1, 12], 12), ([1, 3, 2, 2], 3)])
def test_an_embedding_has_unit_length_and_is_zero_without_a_picture(
    tmp_path: Path, outputs: list[int], length: int
) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    found = Embedding.open(network(tmp_path / "net.onnx", outputs)).of([red, None, 255 - red])
    assert found.shape == (3, length) and not found[1].any()
    assert np.linalg.norm(found[[0, 2]], axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert found[0] @ found[2] < 0


def test_a_network_that_gives_no_vector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CrosslabelError, match=r"net\.onnx: no embedding network"):
        Embedding.open(network(tmp_path / "net.onnx", [3, 2, 2]))


def test_without_onnxruntime_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CrosslabelError, match="networks"):
        Embedding.open(tmp_path / "net.onnx")
