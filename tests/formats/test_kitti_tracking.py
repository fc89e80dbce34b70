"""KITTI tracking: real labels, points, detections and poses, and any log written in its layout."""

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, Rig, SE3Batch
from formats.errors import FormatError
from formats.kitti.calibration import read_calibration
from formats.kitti.oxts import oxts_text, read_oxts
from formats.kitti.rows import Row, boxes_of
from formats.kitti.view import frames_of, rectangle_px, view_of
from formats.kitti_tracking import KITTI_TRACKING
from formats.registry import find_format
from fusion import Annotation, Box3D, DriveLog, ImageRef, LabelSet, Track
from fusion.align import points_in_ego, read_deskewed
from fusion.overlap import points_in_box

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


@pytest.fixture(scope="module")
def tree(shared_data: Path) -> Path:
    return shared_data / "kitti_tracking"


@pytest.fixture(scope="module")
def log(tree: Path) -> DriveLog:
    return KITTI_TRACKING.open_log(tree, "0000")


@pytest.fixture(scope="module")
def labels(tree: Path, log: DriveLog) -> LabelSet:
    return KITTI_TRACKING.read_labels(tree, log)


@pytest.fixture(scope="module")
def scorer(shared_data: Path) -> ModuleType:
    """The reader of the scripts that score results, written by somebody else."""
    file = shared_data.parent / "kitti_score" / "kcommon.py"
    if not file.is_file():
        pytest.skip("no scripts that score KITTI results")
    spec = importlib.util.spec_from_file_location("kcommon", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trees_are_found(tree: Path, shared_data: Path, tmp_path: Path) -> None:
    assert find_format(tree) is find_format(tree / "training") is KITTI_TRACKING
    assert KITTI_TRACKING.log_ids(tree) == KITTI_TRACKING.log_ids(tree / "training")
    assert len(KITTI_TRACKING.log_ids(tree)) == 10
    assert KITTI_TRACKING.log_ids(shared_data / "kitti_camera_lidar") == ["0052"]
    assert not KITTI_TRACKING.recognises(tmp_path)


def test_pixels_are_those_of_the_product_of_the_raw_matrices(shared_data: Path) -> None:
    log = KITTI_TRACKING.open_log(shared_data / "kitti_camera_lidar", "0052")
    file = shared_data / "kitti_camera_lidar" / "training" / "calib" / "0052.txt"
    rows = {line.split(":")[0]: line.split(":")[1].split() for line in file.read_text().splitlines() if line}
    raw = {key: np.array([float(word) for word in words]) for key, words in rows.items()}
    rect = np.eye(4)
    rect[:3, :3] = raw["R0_rect"].reshape(3, 3)
    velo_to_cam = np.vstack([raw["Tr_velo_to_cam"].reshape(3, 4), [0, 0, 0, 1]])
    points = log.sweeps["velodyne"][0].read().points.astype(np.float64)
    product = raw["P2"].reshape(3, 4) @ rect @ velo_to_cam @ np.column_stack([points, np.ones(len(points))]).T
    camera = log.rig.cameras["image_02"]
    projection = camera.model.project(camera.ego_from_sensor.inverse() @ points)
    assert projection.visible.sum() > 15_000
    off_px = (product[:2] / product[2]).T - projection.uv_px
    assert np.abs(off_px[projection.visible]).max() < 1e-3


def test_all_spellings_of_a_calibration_mean_the_same(tree: Path, tmp_path: Path) -> None:
    file = tree / "training" / "calib" / "0000.txt"
    text = file.read_text(encoding="utf-8")
    for old, new in (
        ("R0_rect:", "R_rect"),
        ("Tr_velo_to_cam:", "Tr_velo_cam"),
        ("Tr_imu_to_velo:", "Tr_imu_velo"),
    ):
        text = text.replace(old, new)
    (tmp_path / "0000.txt").write_text(text, encoding="utf-8")
    ours, theirs = read_calibration(file), read_calibration(tmp_path / "0000.txt")
    assert ours.rect0_from_velo.is_close(theirs.rect0_from_velo, atol=0)
    assert ours.velo_from_imu is not None and theirs.velo_from_imu is not None
    assert ours.velo_from_imu.is_close(theirs.velo_from_imu, atol=0)


def test_scans_fill_the_boxes(log: DriveLog, labels: LabelSet) -> None:
    near = 0
    for ref in log.sweeps["velodyne"]:
        points = ref.read().points
        for _, annotation in labels.at(ref.timestamp_ns):
            if np.linalg.norm(annotation.box.center) < 20:
                near += 1
                assert points_in_box(points, annotation.box).sum() > 100
    assert near == 54


def test_frames_without_scans_are_known(log: DriveLog, tree: Path) -> None:
    assert len(log) == 154 and len(log.sweeps["velodyne"]) == 24
    assert [gap.timestamp_ns for gap in log.missing] == log.timestamps_ns[24:].tolist()
    assert np.array_equal(log.timestamps_ns, np.arange(154) * 100_000_000)
    unseen = KITTI_TRACKING.open_log(tree, "0017")
    assert len(unseen) == 145 and unseen.missing == () and not unseen.sweeps["velodyne"]


@settings(max_examples=100)
@given(
    st.tuples(*[st.floats(0.3, 9)] * 3),
    st.tuples(st.floats(-40, 40), st.floats(-3, 4), st.floats(1, 90)),
    st.floats(-7, 7),
)
def test_boxes_are_those_of_the_devkit(
    size_hwl: tuple[float, float, float], bottom: tuple[float, float, float], turn_rad: float
) -> None:
    """computeBox3D.m of the KITTI devkit, in the camera's frame."""
    h, w, length = size_hwl
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    x = np.array([1, 1, -1, -1, 1, 1, -1, -1]) * length / 2
    y = np.array([0, 0, 0, 0, -1, -1, -1, -1]) * h
    z = np.array([1, -1, -1, 1, 1, -1, -1, 1]) * w / 2
    theirs = (about_y @ np.array([x, y, z])).T + bottom
    row = Row(0, 0, "Car", (0, 0, 1, 1), size_hwl, bottom, turn_rad)
    (box,) = boxes_of(Path("labels"), [(1, row)], SE3.identity())
    assert box is not None
    ours = box.corners()
    apart_m = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
    assert apart_m.min(axis=0).max() < 1e-9 and apart_m.min(axis=1).max() < 1e-9
    front = ours[:4].mean(axis=0) - box.center
    assert np.allclose(front, about_y @ (length / 2, 0, 0), atol=1e-9)


def columns_but_alpha(text: str) -> set[str]:
    return {" ".join(line.split()[:5] + line.split()[6:]) for line in text.splitlines()}


@pytest.mark.parametrize("name", ["0000", "0004", "0017"])
def test_labels_are_written_digit_for_digit(tree: Path, tmp_path: Path, name: str) -> None:
    """Alpha alone is another: KITTI's own is seen from the Velodyne, everybody else's from camera 0."""
    log = KITTI_TRACKING.open_log(tree, name)
    KITTI_TRACKING.write_labels(tmp_path, log, KITTI_TRACKING.read_labels(tree, log))
    original = (tree / "training" / "label_02" / f"{name}.txt").read_text(encoding="utf-8")
    written = (tmp_path / f"{name}.txt").read_text(encoding="utf-8")
    assert columns_but_alpha(written) == columns_but_alpha(original)
    assert len(written.splitlines()) == len(original.splitlines())


def test_a_reader_of_others_reads_our_results(
    tree: Path, tmp_path: Path, log: DriveLog, labels: LabelSet, scorer: ModuleType
) -> None:
    scored = LabelSet.of(
        track.with_annotations(replace(a, score=0.25) for a in track.annotations.values())
        for track in labels.tracks.values()
    )
    KITTI_TRACKING.write_labels(tmp_path, log, scored)
    ours = scorer.read_tracking(tmp_path / "0000.txt")
    truth = scorer.read_tracking(tree / "training" / "label_02" / "0000.txt")
    objects = truth["type"] != "DontCare"
    order, true_order = (np.lexsort((d["id"], d["frame"])) for d in (ours, truth))
    true_order = true_order[objects[true_order]]
    for key in ("frame", "id", "type", "trunc", "occ", "bbox", "box"):
        assert np.array_equal(ours[key][order], truth[key][true_order]), key
    assert (ours["score"] == 0.25).all()
    again = KITTI_TRACKING.read_labels(tmp_path, log)
    assert all(a.score == 0.25 for track in again.tracks.values() for a in track.annotations.values())


def test_ten_cycles_move_no_box(tree: Path, tmp_path: Path, log: DriveLog, labels: LabelSet) -> None:
    current, texts = moved_a_little(labels), []
    for cycle in range(10):
        folder = tmp_path / str(cycle)
        KITTI_TRACKING.write_labels(folder, log, current)
        texts.append((folder / "0000.txt").read_text(encoding="utf-8"))
        current = KITTI_TRACKING.read_labels(folder, log)
    assert len(set(texts[1:])) == 1 and current.annotation_count == labels.annotation_count
    for id, track in moved_a_little(labels).tracks.items():
        for t, annotation in track.annotations.items():
            corners = current.tracks[id].annotations[t].box.corners()
            assert np.abs(corners - annotation.box.corners()).max() < 5e-6  # half a last digit at each number


def moved_a_little(labels: LabelSet) -> LabelSet:
    """Turned about the camera's y axis and shifted, so that no number is a round one."""
    random = np.random.default_rng(7)

    def moved(annotation: Annotation) -> Annotation:
        box_from_moved = SE3.from_yaw(random.normal() * 0.1, random.normal(size=3) * 0.1)
        ego_from_moved = annotation.box.ego_from_box @ box_from_moved
        return replace(annotation, box=replace(annotation.box, ego_from_box=ego_from_moved))

    return LabelSet.of(
        track.with_annotations([moved(a) for a in track.annotations.values()])
        for track in labels.tracks.values()
    )


def test_projected_boxes_fit_the_rectangles_that_people_drew(tree: Path) -> None:
    log = KITTI_TRACKING.open_log(tree, "0020")
    labels = KITTI_TRACKING.read_labels(tree, log)
    view = view_of(log, tree)
    frames = {frame.timestamp_ns: frame for frame in frames_of(log, view)}
    overlaps = []
    for track in labels.tracks.values():
        for t, annotation in list(track.annotations.items())[::20]:
            drawn = track.image_boxes["image_02", t]
            ours = rectangle_px(annotation.box, view, frames[t])
            assert ours is not None
            overlaps.append(overlap(ours, (drawn.left_px, drawn.top_px, drawn.right_px, drawn.bottom_px)))
    assert len(overlaps) > 300 and np.median(overlaps) > 0.9 and np.quantile(overlaps, 0.05) > 0.7


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (areas - width * height)


def test_a_box_beside_the_camera_is_cut_at_its_plane(log: DriveLog, labels: LabelSet) -> None:
    view = view_of(log, Path("out"))
    frame = frames_of(log, view)[0]
    beside = rectangle_px(Box3D.upright((1, 1.5, -1), (8, 1.6, 1.5), 0.0), view, frame)
    assert beside is not None and beside[0] == 0 and beside[2] < 621 and beside[3] == 374
    assert rectangle_px(Box3D.upright((-9, 0, 0), (4, 2, 2), 0.0), view, frame) is None
    assert rectangle_px(Box3D.upright((5, 30, 0), (4, 2, 2), 0.0), view, frame) is None


def test_detections_keep_their_raw_scores(tree: Path, log: DriveLog) -> None:
    detections = KITTI_TRACKING.read_detections(tree / "detections", log)
    count = sum(len(file.read_text().splitlines()) for file in tree.glob("detections/*/0000.txt"))
    assert detections.annotation_count == len(detections.tracks) == count
    assert {track.category for track in detections.tracks.values()} == {"Car", "Pedestrian", "Cyclist"}
    first = detections.tracks["pointrcnn_Car-1"]
    (annotation,) = first.annotations.values()
    assert annotation.attributes["raw_score"] == 8.2981
    assert annotation.score == pytest.approx(1 / (1 + np.exp(-8.2981)))
    assert (annotation.box.length_m, annotation.box.width_m, annotation.box.height_m) == (
        4.7549,
        1.8137,
        1.9605,
    )
    assert first.image_boxes["image_02", annotation.timestamp_ns].right_px == 458.2292
    only_cars = KITTI_TRACKING.read_detections(tree / "detections" / "pointrcnn_Car", log)
    assert {track.category for track in only_cars.tracks.values()} == {"Car"}


def test_poses_are_those_that_the_scores_are_made_with(tree: Path, scorer: ModuleType) -> None:
    for name in ("0004", "0009"):
        log = KITTI_TRACKING.open_log(tree, name)
        calibration = read_calibration(tree / "training" / "calib" / f"{name}.txt")
        rect0_from_ego = calibration.rect0_from_velo
        trajectory = KITTI_TRACKING.read_poses(tree / "poses_orbslam3", log)
        theirs = scorer.read_poses(name, {"P2": calibration.projections["image_02"]})
        for t, start_from_rect0 in list(zip(log.timestamps_ns.tolist(), theirs, strict=True))[::40]:
            ours = rect0_from_ego @ trajectory.at(t) @ rect0_from_ego.inverse()
            assert np.abs(ours.matrix - start_from_rect0).max() < 2e-6


def test_parked_cars_stand_still_and_the_road_stays_level(tree: Path) -> None:
    log = KITTI_TRACKING.open_log(tree, "0009")
    trajectory = KITTI_TRACKING.read_poses(tree / "poses_orbslam3", log)
    assert trajectory.at(0).is_close(SE3.identity())
    places = trajectory.world_from_ego.translations
    travelled_m = np.linalg.norm(np.diff(places, axis=0), axis=1).sum()
    assert travelled_m > 400 and np.abs(places[:, 2]).max() < 0.02 * travelled_m
    labels = KITTI_TRACKING.read_labels(tree, log)
    drifts = []
    for track in labels.tracks.values():
        if len(track.annotations) > 30:
            found = [trajectory.at(t) @ a.box.center for t, a in track.annotations.items()]
            drifts.append(np.linalg.norm(np.std(found, axis=0)))
    assert np.mean(np.array(drifts) < 0.5) > 0.5  # most are parked


def test_a_test_split_takes_its_frames_from_what_lies_beside(tree: Path, tmp_path: Path) -> None:
    for part in ("training/calib", "detections", "poses_orbslam3"):
        shutil.copytree(tree / part, tmp_path / part)
    log = KITTI_TRACKING.open_log(tmp_path, "0003")
    assert len(log) == 144 and not KITTI_TRACKING.read_labels(tmp_path, log).tracks
    assert len(KITTI_TRACKING.read_poses(tmp_path / "poses_orbslam3", log).timestamps_ns) == 144
    shutil.rmtree(tmp_path / "detections")
    shutil.rmtree(tmp_path / "poses_orbslam3")
    with pytest.raises(FormatError, match="0003: holds no scans, images, labels or poses"):
        KITTI_TRACKING.open_log(tmp_path, "0003")


def test_degrees_of_latitude_are_as_long_as_on_earth(tmp_path: Path) -> None:
    rest = " ".join(["0"] * 24)
    lines = [
        f"{49.0 + north} {8.4 + east} 100 0.01 -0.02 {np.pi / 2} {rest}"
        for north, east in ((0, 0), (0.001, 0), (0, 0.001))
    ]
    (tmp_path / "0000.txt").write_text("\n".join(lines), encoding="utf-8")
    world_from_imu = read_oxts(tmp_path / "0000.txt")
    north_m, east_m = world_from_imu.translations[1], world_from_imu.translations[2]
    assert np.allclose(north_m, (0, np.radians(0.001) * 6378137, 0), atol=2e-3)
    assert np.allclose(east_m, (np.radians(0.001) * 6378137 * np.cos(np.radians(49)), 0, 0), atol=1e-6)
    forward = world_from_imu[0].rotation[:, 0]
    assert np.allclose(forward, (0, np.cos(-0.02), -np.sin(-0.02)), atol=1e-12)  # yaw 90 degrees looks north


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_poses_come_back_from_the_globe(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    random = np.random.default_rng(seed)
    quaternions = np.column_stack([np.ones(5), random.uniform(-0.3, 0.3, (5, 2)), random.uniform(-2, 2, 5)])
    world_from_ego = SE3Batch.from_quaternions_wxyz(quaternions, random.uniform(-2000, 2000, (5, 3)))
    file = tmp_path_factory.getbasetemp() / "oxts.txt"
    file.write_text(oxts_text(world_from_ego), encoding="utf-8")
    back = read_oxts(file)
    places = world_from_ego.translations - world_from_ego.translations[0]
    assert np.abs(back.translations - places).max() < 1e-6
    assert np.abs(back.rotations - world_from_ego.rotations).max() < 1e-9


@pytest.fixture
def written(make_log: MakeLog, tmp_path: Path) -> tuple[DriveLog, LabelSet, DriveLog, Path]:
    """A simulated log, and what comes back of it."""
    log, labels = make_log("a log")
    KITTI_TRACKING.write(tmp_path / "out", [(log, labels)])
    return log, labels, KITTI_TRACKING.open_log(tmp_path / "out", "0000"), tmp_path / "out"


def test_any_log_is_written_at_the_instants_of_its_images(
    written: tuple[DriveLog, LabelSet, DriveLog, Path],
) -> None:
    log, _, back, path = written
    shots_ns = [ref.timestamp_ns for ref in log.images["ahead"]]
    assert back.timestamps_ns.tolist() == shots_ns
    assert (path / "sequences.txt").read_text(encoding="utf-8") == "0000 a log\n"
    world_from_ego = log.trajectory.at_many(shots_ns)
    places = world_from_ego.translations - world_from_ego.translations[0]
    assert np.abs(back.trajectory.world_from_ego.translations - places).max() < 1e-6
    assert np.abs(back.trajectory.world_from_ego.rotations - world_from_ego.rotations).max() < 1e-9
    assert back.rig.cameras["image_02"].model == log.rig.cameras["ahead"].model
    for ref, original in zip(back.images["image_02"], log.images["ahead"], strict=True):
        assert np.array_equal(ref.read(), original.read())


def test_points_and_boxes_stay_where_they_are_in_the_world(
    written: tuple[DriveLog, LabelSet, DriveLog, Path],
) -> None:
    log, labels, back, path = written
    origin = log.trajectory.at(back.timestamps_ns[0]).translation
    track = KITTI_TRACKING.read_labels(path, back).tracks["0"]
    assert track.category == "Car" and len(track.annotations) == len(log)
    for t, shot_ns in zip(log.timestamps_ns.tolist(), back.timestamps_ns.tolist(), strict=True):
        sweep, scan = read_deskewed(log, log.sweep_at(t)), back.sweep_at(shot_ns).read()
        world = log.trajectory.at(t) @ points_in_ego(log, sweep) - origin
        assert np.abs(back.trajectory.at(shot_ns) @ scan.points - world).max() < 1e-5
        assert np.array_equal(scan.intensity, sweep.intensity)
        box, box_back = labels.tracks["car/1"].annotations[t].box, track.annotations[shot_ns].box
        world_corners = log.trajectory.at(t) @ box.corners() - origin
        assert np.abs(back.trajectory.at(shot_ns) @ box_back.corners() - world_corners).max() < 5e-6


def test_ten_trees_move_no_box(written: tuple[DriveLog, LabelSet, DriveLog, Path]) -> None:
    _, _, back, path = written
    first = KITTI_TRACKING.read_labels(path, back)
    log, labels = back, first
    for cycle in range(10):
        target = path.parent / f"cycle{cycle}"
        KITTI_TRACKING.write(target, [(log, labels)], images="none")
        log = KITTI_TRACKING.open_log(target, "0000")
        labels = KITTI_TRACKING.read_labels(target, log)
    for id, track in first.tracks.items():
        for t, annotation in track.annotations.items():
            again = labels.tracks[id].annotations[t]
            assert np.abs(again.box.corners() - annotation.box.corners()).max() < 1e-6
    assert (
        np.abs(log.trajectory.world_from_ego.translations - back.trajectory.world_from_ego.translations).max()
        < 1e-6
    )


def ramp(width: int, height: int) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    return np.dstack([u, v, u]).astype(np.uint8)


def test_lens_distortion_is_taken_out(make_log: MakeLog, tmp_path: Path) -> None:
    """The image shows its own pixel coordinates, so each pixel says where it was taken from."""
    log, labels = make_log()
    camera = log.rig.cameras["far ahead"]
    refs = tuple(ImageRef("far ahead", t, partial(ramp, 128, 80)) for t in log.timestamps_ns.tolist())
    rig = Rig.of(tuple(log.rig.lidars.values()), (camera,))
    KITTI_TRACKING.write(tmp_path / "out", [(replace(log, rig=rig, images={"far ahead": refs}), labels)])
    back = KITTI_TRACKING.open_log(tmp_path / "out", "0000")
    model = back.rig.cameras["image_02"].model
    uv_px = np.array([[10.0, 10], [64, 40], [100, 60], [5, 75]])
    expected = camera.model.project(model.ray(uv_px)).uv_px
    assert np.abs(expected - uv_px).max() > 0.2
    image = back.images["image_02"][2].read()
    found = image[uv_px[:, 1].astype(int), uv_px[:, 0].astype(int), :2]
    assert np.abs(found - expected).max() <= 0.6


def test_a_missing_image_leaves_the_others_with_their_frames(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    kept = log.images["ahead"][:2] + log.images["ahead"][3:]
    KITTI_TRACKING.write(tmp_path / "out", [(replace(log, images={"ahead": kept}), labels)], images="jpg")
    back = KITTI_TRACKING.open_log(tmp_path / "out", "0000")
    assert [ref.path.name for ref in back.images["image_02"]] == [f"{n:06d}.jpg" for n in (0, 1, 3, 4, 5)]
    assert back.timestamps_ns[2] == log.timestamps_ns[2]


def test_ids_that_are_numbers_are_kept_and_others_counted(log: DriveLog, tmp_path: Path) -> None:
    box = Box3D.upright((15, 0, -1), (4, 2, 1.5), 0)
    ids = ("7", "a", "0", "007", "b", "1")
    labels = LabelSet.of(Track.of(id, "vehicle.car", [Annotation(0, box)]) for id in ids)
    KITTI_TRACKING.write_labels(tmp_path, log, labels)
    rows = [line.split() for line in (tmp_path / "0000.txt").read_text().splitlines()]
    assert [row[1] for row in rows] == ["7", "2", "0", "3", "4", "1"]
    assert {row[2] for row in rows} == {"Car"} and {len(row) for row in rows} == {17}


def test_what_the_camera_does_not_see_is_left_out(log: DriveLog, tmp_path: Path) -> None:
    behind, ahead = (Box3D.upright((x, 0, -1), (4, 2, 1.5), 0) for x in (-15, 15))
    unseen = Track.of("1", "Car", [Annotation(0, behind), Annotation(5, ahead)])  # 5 ns is no frame
    KITTI_TRACKING.write_labels(
        tmp_path, log, LabelSet.of([unseen, Track.of("2", "Car", [Annotation(0, ahead)])])
    )
    assert [line.split()[1] for line in (tmp_path / "0000.txt").read_text().splitlines()] == ["2"]
    assert any("outside of the image" in sentence for sentence in KITTI_TRACKING.loses)


def test_rectangles_without_a_box_come_back(log: DriveLog, tmp_path: Path) -> None:
    line = "3 5 Cyclist -1 -1 -10.000000 100.000000 110.500000 150.000000 200.000000"
    line += " -1.000000 -1.000000 -1.000000 -1000.000000 -1000.000000 -1000.000000 -10.000000\n"
    (tmp_path / "0000.txt").write_text(line, encoding="utf-8")
    labels = KITTI_TRACKING.read_labels(tmp_path, log)
    assert labels.annotation_count == 0
    assert labels.tracks["5"].image_boxes["image_02", 300_000_000].top_px == 110.5
    KITTI_TRACKING.write_labels(tmp_path / "again", log, labels)
    assert (tmp_path / "again" / "0000.txt").read_text(encoding="utf-8") == line


@pytest.mark.parametrize(
    ("scores", "read"),
    [((0.2, 0.9), (0.2, 0.9)), ((0.2, 3.0), (1 / (1 + np.exp(-0.2)), 1 / (1 + np.exp(-3.0))))],
)
def test_scores_beyond_one_are_logits(
    log: DriveLog, tmp_path: Path, scores: tuple[float, ...], read: tuple[float, ...]
) -> None:
    rows = [f"{n} 1 Car 0 0 0 1 2 30 40 1.5 1.6 4 0 1.6 20 0 {score}" for n, score in enumerate(scores)]
    (tmp_path / "0000.txt").write_text("\n".join(rows), encoding="utf-8")
    annotations = KITTI_TRACKING.read_labels(tmp_path, log).tracks["1"].annotations.values()
    assert [a.score for a in annotations] == pytest.approx(list(read))
    assert [a.attributes.get("raw_score") for a in annotations] == [
        None if max(scores) <= 1 else s for s in scores
    ]


def test_images_of_the_same_kind_are_copied(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "kitti_camera_lidar"
    log = KITTI_TRACKING.open_log(source, "0052")
    KITTI_TRACKING.write(tmp_path / "out", [(log, LabelSet())])
    file = Path("training") / "image_02" / "0052" / "000003.png"
    assert (tmp_path / "out" / file).read_bytes() == (source / file).read_bytes()
    back = KITTI_TRACKING.open_log(tmp_path / "out", "0052")
    assert back.metadata["poses"] == "none"
    scan, again = log.sweeps["velodyne"][5].read(), back.sweeps["velodyne"][5].read()
    assert np.array_equal(scan.points, again.points) and np.array_equal(scan.intensity, again.intensity)
    old, new = (each.rig.cameras["image_02"].ego_from_sensor for each in (log, back))
    assert old.is_close(new, atol=1e-11)
