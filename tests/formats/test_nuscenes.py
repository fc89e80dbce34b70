"""Round trips through the layout of nuScenes."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calib import SE3, Rig
from formats.nuscenes import NUSCENES
from formats.pandaset import PANDASET
from fusion import Annotation, Box3D, DriveLog, LabelSet, Source, Sweep, SweepRef, Track, Trajectory
from fusion.align import read_deskewed
from fusion.boxes import Boxes
from fusion.overlap import count_points_in_boxes

MANY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(root: Path, log: DriveLog, labels: LabelSet, **options: object) -> tuple[DriveLog, LabelSet]:
    NUSCENES.write(root, [(log, labels)], **{"undistort": False, **options})
    back = NUSCENES.open_log(root, log.name)
    return back, NUSCENES.read_labels(root, back)


def table(root: Path, name: str) -> list[dict]:
    return json.loads((root / "v1.0-crosslabel" / f"{name}.json").read_text())


def assert_same_logs(log: DriveLog, back: DriveLog) -> None:
    assert back.name == log.name
    assert back.timestamps_ns.tolist() == log.timestamps_ns.tolist()
    assert back.trajectory.timestamps_ns.tolist() == log.trajectory.timestamps_ns.tolist()
    moved_m = back.trajectory.world_from_ego.translations - log.trajectory.world_from_ego.translations
    turned = back.trajectory.world_from_ego.rotations - log.trajectory.world_from_ego.rotations
    assert np.abs(moved_m).max() == 0 and np.abs(turned).max() < 1e-15
    assert [*back.rig.lidars] == [*log.rig.lidars] and [*back.rig.cameras] == [*log.rig.cameras]
    for name, lidar in log.rig.lidars.items():
        assert back.rig.lidars[name].ego_from_sensor.is_close(lidar.ego_from_sensor, 1e-15)
    for name, camera in log.rig.cameras.items():
        assert back.rig.cameras[name].ego_from_sensor.is_close(camera.ego_from_sensor, 1e-15)
        assert back.rig.cameras[name].model == camera.model
        assert back.rig.cameras[name].readout_ns == camera.readout_ns
    assert dict(back.metadata) == dict(log.metadata) and back.missing == log.missing


def assert_same_labels(labels: LabelSet, back: LabelSet, within_m: float) -> None:
    def without_boxes(label_set: LabelSet) -> list[object]:
        return [
            (t.id, t.category, t.attributes, t.image_boxes, [*t.annotations])
            for t in label_set.tracks.values()
        ]

    assert without_boxes(back) == without_boxes(labels)
    assert back.reviews == labels.reviews and back.attributes == labels.attributes
    for id, track in labels.tracks.items():
        for timestamp_ns, annotation in track.annotations.items():
            again = back.tracks[id].annotations[timestamp_ns]
            assert np.abs(annotation.box.corners() - again.box.corners()).max() <= within_m
            assert annotation.box.size_lwh_m.tolist() == again.box.size_lwh_m.tolist()
            assert replace(again, box=annotation.box) == annotation


def test_everything_comes_back(make_log, tmp_path: Path) -> None:
    log, labels = make_log(scale=1.0)
    back, again = written(tmp_path / "out", log, labels)
    assert_same_logs(log, back)
    assert_same_labels(labels, again, 1e-12)
    for lidar in log.rig.lidars:
        assert len(back.sweeps[lidar]) == len(log.sweeps[lidar])
        for ref, copy in zip(log.sweeps[lidar], back.sweeps[lidar], strict=True):
            sweep, read = read_deskewed(log, ref), copy.read()
            assert copy.timestamp_ns == ref.timestamp_ns == read.timestamp_ns and read.deskewed
            assert read.points.tobytes() == sweep.points.tobytes() and read.stamps == sweep.stamps
            assert np.array_equal(read.ring, sweep.ring)
            if sweep.intensity is None:
                assert read.intensity is None
            else:
                assert np.abs(read.intensity / sweep.intensity - 1).max() < 2e-7
    for camera in log.rig.cameras:
        for ref, copy in zip(log.images[camera], back.images[camera], strict=True):
            assert copy.timestamp_ns == ref.timestamp_ns
            if ref.path is not None:
                assert copy.path.read_bytes() == ref.path.read_bytes()
            else:
                assert np.array_equal(copy.read(), ref.read())


def test_ten_cycles_move_no_box(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=4)
    now, now_labels = log, labels
    for cycle in range(10):
        now, now_labels = written(tmp_path / str(cycle), now, now_labels)
    assert_same_labels(labels, now_labels, 1e-9)
    assert_same_logs(log, replace(now, trajectory=log.trajectory, rig=log.rig))
    drift_m = now.trajectory.world_from_ego.translations - log.trajectory.world_from_ego.translations
    assert np.abs(drift_m).max() <= 1e-9
    first, last = now.sweeps["roof"][1].read(), read_deskewed(log, log.sweeps["roof"][1])
    assert first.points.tobytes() == last.points.tobytes()


def test_same_input_gives_the_same_bytes(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=3)
    for name in ("one", "two"):
        NUSCENES.write(tmp_path / name, [(log, labels)])
    sums = [
        {
            str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in root.rglob("*")
            if p.is_file()
        }
        for root in (tmp_path / "one", tmp_path / "two")
    ]
    assert sums[0] == sums[1] and len(sums[0]) > 25


def test_the_layout_is_that_of_nuscenes(make_log, tmp_path: Path) -> None:
    log, labels = make_log(name="night/drive")
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"maps", "samples", "sweeps", "v1.0-crosslabel"}
    assert len([*(tmp_path / "out" / "v1.0-crosslabel").glob("*.json")]) == 14
    reading = next(row for row in table(tmp_path / "out", "sample_data") if "LIDAR_TOP" in row["filename"])
    micros = int(log.timestamps_ns[0]) // 1000
    assert reading["filename"].startswith("samples/LIDAR_TOP/night-drive-")
    assert reading["filename"].endswith(f"__LIDAR_TOP__{micros}.pcd.bin")
    assert reading["timestamp"] == micros and reading["fileformat"] == "pcd" and reading["is_key_frame"]
    row = table(tmp_path / "out", "sample_annotation")[0]
    assert row["size"] == [1.8, 4.2, 1.6]
    world_from_ego = log.trajectory.at(int(log.timestamps_ns[0]))
    assert np.allclose(row["translation"], world_from_ego @ np.array([8.0, 1.0, 0.8]), atol=1e-9)
    attribute = {row["token"]: row["name"] for row in table(tmp_path / "out", "attribute")}
    assert [attribute[token] for token in row["attribute_tokens"]] == ["vehicle.moving"]
    assert {row["channel"] for row in table(tmp_path / "out", "sensor")} == {
        "LIDAR_TOP",
        "LIDAR_BUMPER",
        "CAM_FRONT",
        "CAM_BACK_LEFT",
        "CAM_FAR_AHEAD",
    }


def test_points_in_boxes_are_counted_in_the_file(make_log, tmp_path: Path) -> None:
    log, labels = make_log()
    back, again = written(tmp_path / "out", log, labels)
    rows = table(tmp_path / "out", "sample_annotation")
    counted = 0
    for frame_ns in log.timestamps_ns.tolist():
        points = back.sweep_at(frame_ns).read().points
        ego_from_lidar = back.rig.main_lidar.ego_from_sensor
        boxes = Boxes.stack(annotation.box for _, annotation in again.at(frame_ns))
        counted += int(count_points_in_boxes(points, boxes.moved(ego_from_lidar.inverse())).sum())
    assert counted == sum(row["num_lidar_pts"] for row in rows) > 0


def test_other_frames_become_sweeps(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=7)
    back, again = written(tmp_path / "out", log, labels, keyframe_every=3)
    assert_same_logs(log, back)
    keys = log.timestamps_ns.tolist()[::3]
    assert again.timestamps_ns() == keys
    kept = {
        t.id: replace(t, annotations={k: a for k, a in t.annotations.items() if k in keys})
        for t in labels.tracks.values()
    }
    assert_same_labels(replace(labels, tracks=kept), again, 1e-12)
    readings = [row for row in table(tmp_path / "out", "sample_data") if "LIDAR_TOP" in row["filename"]]
    assert [row["filename"].split("/")[0] for row in readings] == [
        "samples" if index % 3 == 0 else "sweeps" for index in range(7)
    ]
    samples = [row["token"] for row in table(tmp_path / "out", "sample")]
    assert [samples.index(row["sample_token"]) for row in readings] == [0, 1, 1, 1, 2, 2, 2]


def test_labels_survive_without_any_sensor(make_log, tmp_path: Path) -> None:
    log, labels = make_log()
    log = replace(log, rig=Rig.of(), sweeps={}, images={})
    back, again = written(tmp_path / "out", log, labels)
    assert_same_logs(log, back)
    assert_same_labels(labels, again, 1e-12)
    assert back.sweeps == {} and back.rig.main_lidar is None


def test_a_lost_sweep_stays_lost(make_log, tmp_path: Path) -> None:
    log, labels = make_log()
    frame_ns = int(log.timestamps_ns[2])
    log = replace(
        log, sweeps={**log.sweeps, "roof": tuple(r for r in log.sweeps["roof"] if r.timestamp_ns != frame_ns)}
    )
    back, again = written(tmp_path / "out", log, labels)
    assert_same_logs(log, back)
    assert back.sweep_at(frame_ns) is None and len(back.sweeps["roof"]) == 5
    assert_same_labels(labels, again, 1e-12)
    (tmp_path / "out" / table(tmp_path / "out", "sample_data")[0]["filename"]).unlink()
    reopened = NUSCENES.open_log(tmp_path / "out", log.name)
    assert [(m.sensor, m.timestamp_ns) for m in reopened.missing] == [
        ("ahead", log.missing[0].timestamp_ns),
        ("roof", int(log.timestamps_ns[0])),
    ]


def test_two_logs_in_one_data_set(make_log, tmp_path: Path) -> None:
    pairs = [
        make_log(name=name, frames=frames, scale=scale)
        for name, frames, scale in (("b", 3, 1), ("a", 5, 200))
    ]
    seen: list[tuple[str, int, int]] = []
    NUSCENES.write(tmp_path / "out", iter(pairs), undistort=False, progress=lambda *step: seen.append(step))
    assert NUSCENES.log_ids(tmp_path / "out") == ["b", "a"]
    for log, labels in pairs:
        back = NUSCENES.open_log(tmp_path / "out" / "v1.0-crosslabel", log.name)
        assert_same_logs(log, back)
        assert_same_labels(labels, NUSCENES.read_labels(tmp_path / "out", back), 1e-12)
        largest = back.sweeps["roof"][0].read().intensity.max()
        assert largest == pytest.approx(log.sweeps["roof"][0].read().intensity.max(), rel=1e-6)
    assert seen == [("b", i + 1, 15) for i in range(15)] + [("a", i + 1, 25) for i in range(25)]


def test_images_can_be_linked(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    source = log.images["left side"][0].path
    for links in (False, True):
        back, _ = written(tmp_path / str(links), log, labels, hard_links=links)
        assert back.images["left side"][0].path.samefile(source) == links


def deskewed_already(ref: SweepRef) -> Sweep:
    return replace(ref.read(), deskewed=True)


def test_what_was_measured_outside_of_the_trajectory_is_left_out(make_log, tmp_path: Path) -> None:
    log, labels = make_log()
    kept = slice(5, len(log.trajectory.timestamps_ns))
    shorter = Trajectory(log.trajectory.timestamps_ns[kept], log.trajectory.world_from_ego.take(kept))
    log = replace(log, trajectory=shorter)
    sweeps = {
        name: tuple(replace(r, load=partial(deskewed_already, r)) for r in refs)
        for name, refs in log.sweeps.items()
    }
    back, again = written(tmp_path / "out", replace(log, sweeps=sweeps), labels)
    assert len(back.images["left side"]) == 5 and len(back.images["far ahead"]) == 5
    assert len(back.sweeps["roof"]) == 6 and len(back.sweeps["bumper"]) == 5
    assert_same_labels(labels, again, 1e-12)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
metres = st.floats(-200, 200)
sizes = st.floats(0.05, 30)
boxes = st.builds(
    lambda q, place, size: Box3D(SE3.from_quaternion_wxyz(q, place), *size),
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    st.tuples(metres, metres, metres),
    st.tuples(sizes, sizes, sizes),
)
attributes = st.dictionaries(st.text(), json_values, max_size=3)


@st.composite
def label_sets(draw: st.DrawFn, frames_ns: list[int]) -> LabelSet:
    tracks = []
    for id in draw(st.lists(st.text(), unique=True, max_size=4)):
        at = draw(st.lists(st.sampled_from(frames_ns), unique=True))
        annotations = [
            Annotation(
                t,
                draw(boxes),
                draw(st.sampled_from(Source)),
                draw(st.none() | st.floats(0, 1)),
                draw(st.booleans()),
                draw(attributes),
            )
            for t in at
        ]
        category = draw(st.text() | st.sampled_from(["Car", "vehicle.car", "Cyclist", "Pedestrian"]))
        tracks.append(Track.of(id, category, annotations, draw(attributes)))
    # Objects without a box have no rows, so they come back behind those that have.
    return LabelSet({t.id: t for t in sorted(tracks, key=lambda t: not t.annotations)}, {}, draw(attributes))


@MANY
@given(data=st.data())
def test_any_labels_come_back(
    make_log, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    log, _ = make_log(frames=3)
    log = replace(log, sweeps={}, images={})
    labels = data.draw(label_sets(log.timestamps_ns.tolist()))
    _, again = written(tmp_path_factory.mktemp("any") / "out", log, labels)
    assert_same_labels(labels, again, 1e-10)


def test_real_labels_stay_put_over_ten_cycles(shared_data: Path, tmp_path: Path) -> None:
    log = PANDASET.open_log(shared_data / "pandaset", "002")
    labels = PANDASET.read_labels(shared_data / "pandaset", log)
    now, now_labels = replace(log, sweeps={}, images={}), labels
    for cycle in range(10):
        now, now_labels = written(tmp_path / str(cycle), now, now_labels)
    assert_same_labels(labels, now_labels, 1e-9)
