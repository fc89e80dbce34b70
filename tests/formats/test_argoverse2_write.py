"""Argoverse 2 written: round trips of a log of other sensors, of the real log, and of any labels."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from formats.argoverse2 import ARGOVERSE2
from formats.argoverse2.categories import CATEGORIES, argoverse2_category
from formats.errors import FormatError
from formats.losses import losses
from formats.registry import find_format
from fusion import Boxes, DriveLog, LabelSet, Track
from fusion.align import points_in_ego, read_deskewed
from fusion.overlap import count_points_in_boxes
from fusion.simulate import SimulationConfig, simulate
from tests.fusion import label_strategies as strategies

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
LOG_ID = "7fab2350-7eaf-3b7e-a39d-6937a4c1bede"
ANY = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(root: Path, log: DriveLog, labels: LabelSet, **options: bool) -> tuple[DriveLog, LabelSet]:
    ARGOVERSE2.write(root, [(log, labels)], **{"undistort": False, **options})
    back = ARGOVERSE2.open_log(root, log.name)
    return back, ARGOVERSE2.read_labels(root, back)


def make_argoverse2(folder: Path) -> None:
    """A small split of one log, with all that our writer keeps beside."""
    config = replace(SimulationConfig.tiny(), seconds=0.3, cameras=1, image_size_px=(64, 48))
    ARGOVERSE2.write(folder, [simulate(config)])


def apart_m(before: LabelSet, after: LabelSet) -> float:
    return max(
        float(np.abs(one.box.corners() - after.tracks[track.id].annotations[t].box.corners()).max())
        for track in before.tracks.values()
        for t, one in track.annotations.items()
    )


def test_a_log_of_other_sensors_comes_back(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    back, again = written(tmp_path / "out", log, labels)
    assert find_format(tmp_path / "out") is ARGOVERSE2
    assert not losses(labels, again) and again.tracks.keys() == labels.tracks.keys()
    assert back.timestamps_ns.tolist() == log.timestamps_ns.tolist()
    assert back.trajectory.timestamps_ns.tolist() == log.trajectory.timestamps_ns.tolist()
    assert [*back.rig.lidars] == ["roof", "bumper"] and [*back.rig.cameras] == [*log.rig.cameras]
    for name, camera in log.rig.cameras.items():
        kept = back.rig.cameras[name]
        assert kept.ego_from_sensor.is_close(camera.ego_from_sensor, 0) and kept.model == camera.model
        assert kept.readout_ns == camera.readout_ns
    assert back.rig.main_lidar is not None and back.rig.main_lidar.beam_offset_ns
    assert back.metadata == log.metadata and back.missing == log.missing
    for camera, refs in log.images.items():
        assert [r.timestamp_ns for r in back.images[camera]] == [r.timestamp_ns for r in refs]
    taken = log.images["left side"][0]
    assert taken.path is not None and back.images["left side"][0].path is not None
    assert back.images["left side"][0].path.read_bytes() == taken.path.read_bytes()


def test_points_of_all_lidars_come_back(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    back, _ = written(tmp_path / "out", log, labels)
    for ref, copy in zip(log.sweeps["roof"], back.sweeps["roof"], strict=True):
        sweep, read = read_deskewed(log, ref), copy.read()
        assert np.abs(read.points - sweep.points).max() < 1e-5
        assert (read.stamps, read.deskewed, read.timestamp_ns) == ("end", True, sweep.timestamp_ns)
        assert np.array_equal(read.ring, sweep.ring) and np.array_equal(read.offset_ns, sweep.offset_ns)
        assert np.array_equal(read.intensity, sweep.intensity)
    for ref, copy in zip(log.sweeps["bumper"], back.sweeps["bumper"], strict=True):
        sweep, read = ref.read(), copy.read()
        assert read.timestamp_ns == ref.timestamp_ns + 13_000_001 and read.intensity is read.offset_ns is None
        world_from_ego_at_sweep = log.trajectory.at(ref.timestamp_ns)
        world_from_ego_at_frame = log.trajectory.at(read.timestamp_ns)
        before = world_from_ego_at_sweep @ points_in_ego(log, sweep).astype(np.float64)
        after = world_from_ego_at_frame @ points_in_ego(back, read).astype(np.float64)
        assert np.abs(after - before).max() < 2e-5


def test_what_others_see_of_it(make_log: MakeLog, tmp_path: Path) -> None:
    """The columns of Argoverse 2 in its own types, a pose at every reading, lasers that no two share."""
    log, labels = make_log()
    back, _ = written(tmp_path / "out", log, labels, undistort=True)
    folder = tmp_path / "out" / log.name
    places = feather.read_table(folder / "calibration" / "egovehicle_SE3_sensor.feather").to_pydict()
    assert places["sensor_name"] == ["up_lidar", "down_lidar", "left side", "ahead", "far ahead"]
    intrinsics = feather.read_table(folder / "calibration" / "intrinsics.feather").to_pydict()
    assert intrinsics["k1"] == [0, 0, 0] and intrinsics["width_px"] == [128, 128, 128]
    poses_ns = set(feather.read_table(folder / "city_SE3_egovehicle.feather")["timestamp_ns"].to_pylist())
    for file in (folder / "sensors").rglob("*.*"):
        assert int(file.stem) in poses_ns
    assert {file.suffix for file in (folder / "sensors" / "cameras").rglob("*.*")} == {".jpg"}
    sweep = feather.read_table(next((folder / "sensors" / "lidar").iterdir()))
    assert sweep.column_names[:6] == ["x", "y", "z", "intensity", "laser_number", "offset_ns"]
    lasers, lidars = (np.array(sweep[name]) for name in ("laser_number", "crosslabel_lidar"))
    assert set(lasers[lidars == 0]) == set(range(16)) and set(lasers[lidars == 1]) == set(range(32, 48))
    names = feather.read_table(folder / "annotations.feather")["category"].to_pylist()
    assert set(names) == {"REGULAR_VEHICLE", "PEDESTRIAN"}
    assert back.rig.cameras["far ahead"].model.distortion == ()  # type: ignore[attr-defined]


def test_points_in_boxes_are_counted_in_the_file(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    back, again = written(tmp_path / "out", log, labels)
    table = feather.read_table(tmp_path / "out" / log.name / "annotations.feather").to_pydict()
    told = dict(
        zip(
            zip(table["timestamp_ns"], table["track_uuid"], strict=True),
            table["num_interior_pts"],
            strict=True,
        )
    )
    assert sum(told.values()) > 20
    for timestamp_ns in back.timestamps_ns.tolist():
        refs = [back.sweep_at(timestamp_ns, name) for name in back.rig.lidars]
        points = np.concatenate([points_in_ego(back, ref.read()) for ref in refs if ref])
        here = [*again.at(timestamp_ns)]
        counts = count_points_in_boxes(points, Boxes.stack(a.box for _, a in here))
        assert [told[timestamp_ns, track.id] for track, _ in here] == pytest.approx(counts.tolist(), abs=1)
    ARGOVERSE2.write_labels(tmp_path / "labels", log, labels)
    alone = feather.read_table(tmp_path / "labels" / log.name / "annotations.feather").to_pydict()
    assert alone == table


def test_ten_cycles_of_the_real_log(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "argoverse2"
    log = ARGOVERSE2.open_log(source, LOG_ID)
    labels = ARGOVERSE2.read_labels(source, log)
    now, now_labels = log, labels
    for cycle in range(10):
        now, now_labels = written(tmp_path / str(cycle), now, now_labels)
    assert not losses(labels, now_labels) and apart_m(labels, now_labels) < 1e-9
    assert now.timestamps_ns.tolist() == log.timestamps_ns.tolist() and now.missing == log.missing
    own, back = source / LOG_ID, tmp_path / "9" / LOG_ID
    for file in (own / "sensors" / "lidar").iterdir():
        before, after = (feather.read_table(root / "sensors/lidar" / file.name) for root in (own, back))
        assert after.schema.equals(before.schema)
        tables = [np.column_stack([np.array(c, np.float64) for c in t.columns]) for t in (before, after)]
        # Ours holds the upper LiDAR first.
        tables[0] = np.concatenate([tables[0][tables[0][:, 4] < 32], tables[0][tables[0][:, 4] >= 32]])
        assert np.abs(tables[0] - tables[1]).max() < 1e-6
    before, after = (feather.read_table(root / "annotations.feather") for root in (own, back))
    counted = dict(zip(zip(*_keys(after), strict=True), after["num_interior_pts"].to_pylist(), strict=True))
    told = zip(zip(*_keys(before), strict=True), before["num_interior_pts"].to_pylist(), strict=True)
    assert all(counted[key] == count for key, count in told)


def _keys(table: pa.Table) -> tuple[list[int], list[str]]:
    return table["timestamp_ns"].to_pylist(), table["track_uuid"].to_pylist()


def test_a_simulated_drive(tmp_path: Path) -> None:
    config = SimulationConfig.tiny()
    log, labels = simulate(replace(config, seconds=0.5))
    back, again = written(tmp_path / "out", log, labels)
    assert not losses(labels, again) and back.rig.lidars.keys() == log.rig.lidars.keys()


def test_same_input_gives_the_same_bytes(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=3)
    for name in ("one", "two"):
        ARGOVERSE2.write(tmp_path / name, [(log, labels)])
    sums = [
        {str(p.relative_to(r)): hashlib.sha256(p.read_bytes()).hexdigest() for p in r.rglob("*.*")}
        for r in (tmp_path / "one", tmp_path / "two")
    ]
    assert sums[0] == sums[1] and len(sums[0]) > 15


def test_what_a_log_lacks_stays_lacking(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    sweeps = {"roof": log.sweeps["roof"][:4], "bumper": log.sweeps["bumper"][1:]}
    back, again = written(tmp_path / "out", replace(log, sweeps=sweeps), labels)
    assert [len(refs) for refs in back.sweeps.values()] == [4, 5] and len(back) == 6
    assert not losses(labels, again)
    bare = replace(log, sweeps={}, images={})
    back, again = written(tmp_path / "bare", bare, labels)
    assert not back.sweeps and not back.images and not losses(labels, again)


def test_labels_alone(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    ARGOVERSE2.write_labels(tmp_path / "out", log, labels)
    assert ARGOVERSE2.log_ids(tmp_path / "out") == [log.name]
    assert not losses(labels, ARGOVERSE2.read_labels(tmp_path / "out", log))
    with pytest.raises(FormatError, match="no such file"):
        ARGOVERSE2.open_log(tmp_path / "out", log.name)


def test_a_class_that_somebody_changed_counts(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    ARGOVERSE2.write_labels(tmp_path, log, labels)
    file = tmp_path / log.name / "annotations.feather"
    table = feather.read_table(file)
    place = table.column_names.index("category")
    names = ["BUS" if name == "REGULAR_VEHICLE" else name for name in table["category"].to_pylist()]
    feather.write_feather(table.set_column(place, "category", pa.array(names)), file)
    again = ARGOVERSE2.read_labels(tmp_path, log)
    assert again.tracks["car/1"].category == "BUS" and again.tracks["walker"].category == "Pedestrian"


@pytest.mark.parametrize("name", ["", "..", " . ", "x" * 300])
def test_names_that_no_folder_has(make_log: MakeLog, tmp_path: Path, name: str) -> None:
    log, labels = make_log(frames=2)
    with pytest.raises(FormatError, match="name of a log"):
        ARGOVERSE2.write(tmp_path / "out", [(replace(log, name=name), labels)])
    assert not (tmp_path / "out").exists()


@ANY
@given(data=st.data())
def test_any_labels_come_back(
    make_log: MakeLog, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    log, _ = make_log(frames=3)
    drawn = data.draw(strategies.label_sets())
    frames_ns = log.timestamps_ns.tolist()
    tracks = [replace(track, annotations=_moved(track, frames_ns)) for track in drawn.tracks.values()]
    labels = replace(drawn, tracks={track.id: track for track in tracks})
    folder = tmp_path_factory.mktemp("any")
    ARGOVERSE2.write_labels(folder, log, labels)
    again = ARGOVERSE2.read_labels(folder, log)
    assert {loss.part for loss in losses(labels, again, 1e-6)} <= ARGOVERSE2.drops
    ARGOVERSE2.write_labels(folder / "second", log, again)
    assert not losses(again, ARGOVERSE2.read_labels(folder / "second", log), 1e-6)


def _moved(track: Track, frames_ns: list[int]) -> dict:
    """The annotations of a track at frames of a log."""
    pairs = zip(frames_ns, track.annotations.values(), strict=False)
    return {t: replace(annotation, timestamp_ns=t) for t, annotation in pairs}


def test_every_class_has_a_name_there() -> None:
    assert all(argoverse2_category(name) == name for name in CATEGORIES)
    told = {"Car": "REGULAR_VEHICLE", "Cyclist": "BICYCLIST", "vehicle.bus.bendy": "ARTICULATED_BUS"}
    told |= {"human.pedestrian.stroller": "STROLLER", "Tram": "RAILED_VEHICLE", "": "SIGN", "人": "SIGN"}
    assert {name: argoverse2_category(name) for name in told} == told
