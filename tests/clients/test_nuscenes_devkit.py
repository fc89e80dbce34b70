"""The nuscenes-devkit opens what we write, and agrees with us about everything in it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from autolabel import propose
from calib import SE3, SE3Batch
from formats.nuscenes import NUSCENES
from formats.pandaset import PANDASET
from fusion import DriveLog, LabelSet
from fusion.align import cloud_in_image
from fusion.boxes import Boxes
from fusion.edits import Group
from fusion.simulate import SimulationConfig, simulate

pytestmark = pytest.mark.clients
VERSION = "v1.0-crosslabel"
CHECKER = Path(__file__).parent / "nuscenes_devkit_checker.py"
EXPORTS = ("pandaset", "pandaset sparse", "simulated")


@dataclass(frozen=True)
class Checked:
    """An export beside what the devkit said of it."""

    log: DriveLog
    back: DriveLog
    labels: LabelSet
    tables: dict[str, dict[str, dict[str, Any]]]
    report: dict[str, Any]
    projected: dict[str, np.ndarray]


def pandaset(folder: Path) -> tuple[DriveLog, LabelSet]:
    """The real log, labelled from every seventh frame of its true labels."""
    log = PANDASET.open_log(folder, "002")
    given_ns = set(log.timestamps_ns[::7].tolist())
    truth = PANDASET.read_labels(folder, log).tracks.values()
    thinned = [track.without(set(track.annotations) - given_ns) for track in truth]
    keyframes = LabelSet.of(track for track in thinned if track.annotations)
    return log, Group(propose(log, keyframes=keyframes), "Automatic labels").apply(keyframes)


def first_frames(log: DriveLog, labels: LabelSet, count: int) -> tuple[DriveLog, LabelSet]:
    """The beginning of a log."""
    end_ns = int(log.timestamps_ns[count - 1])

    def early(refs: Any) -> Any:
        return tuple(ref for ref in refs if ref.timestamp_ns <= end_ns)

    tracks = [
        replace(track, annotations={t: a for t, a in track.annotations.items() if t <= end_ns})
        for track in labels.tracks.values()
    ]
    return (
        replace(
            log,
            timestamps_ns=log.timestamps_ns[:count],
            sweeps={name: early(refs) for name, refs in log.sweeps.items()},
            images={name: early(refs) for name, refs in log.images.items()},
        ),
        LabelSet.of(track for track in tracks if track.annotations),
    )


def simulated() -> tuple[DriveLog, LabelSet]:
    """A drive whose cameras have distortion."""
    small = SimulationConfig.tiny()
    return simulate(
        replace(small, seconds=0.8, azimuth_steps=900, cameras=3, image_size_px=(320, 180), vehicles=10)
    )


@pytest.fixture(scope="module", params=EXPORTS)
def checked(
    request: pytest.FixtureRequest,
    client_python: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Checked:
    python = client_python("nuscenes")
    if request.param == "simulated":
        log, labels = simulated()
    else:
        log, labels = pandaset(request.getfixturevalue("shared_data") / "pandaset")
    if request.param == "pandaset sparse":
        log, labels = first_frames(log, labels, 11)
    root, out = tmp_path_factory.mktemp("export") / "data", tmp_path_factory.mktemp("report")
    NUSCENES.write(root, [(log, labels)], keyframe_every=5 if "sparse" in request.param else 1)
    command = [python, CHECKER, root, VERSION, out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    tables = {
        path.stem: {row["token"]: row for row in json.loads(path.read_text())}
        for path in (root / VERSION).glob("*.json")
        if path.stem != "splits"
    }
    report = json.loads((out / "report.json").read_text())
    with np.load(out / "arrays.npz") as arrays:
        return Checked(log, NUSCENES.open_log(root, log.name), labels, tables, report, dict(arrays))


def sensor_of(checked: Checked, reading: dict[str, Any]) -> tuple[str, str]:
    calibration = checked.tables["calibrated_sensor"][reading["calibrated_sensor_token"]]
    modality = checked.tables["sensor"][calibration["sensor_token"]]["modality"]
    return modality, calibration["crosslabel"]["name"]


def ego_from_sensor(checked: Checked, reading: dict[str, Any]) -> SE3:
    modality, name = sensor_of(checked, reading)
    rig = checked.log.rig
    return (rig.cameras[name] if modality == "camera" else rig.lidars[name]).ego_from_sensor


def track_id(checked: Checked, annotation: str) -> str:
    instance = checked.tables["sample_annotation"][annotation]["instance_token"]
    return checked.tables["instance"][instance]["crosslabel"]["id"]


def frame_ns(checked: Checked, sample: str) -> int:
    return checked.tables["sample"][sample]["crosslabel"]["timestamp_ns"]


def samples_ns(checked: Checked) -> set[int]:
    return {frame_ns(checked, token) for token in checked.tables["sample"]}


def test_it_loads_and_is_whole(checked: Checked) -> None:
    counts = checked.report["counts"]
    assert counts["sample"] == len(set(checked.labels.timestamps_ns()) & samples_ns(checked))
    assert counts["sample_annotation"] == sum(len([*checked.labels.at(t)]) for t in samples_ns(checked))
    assert counts["instance"] == len(checked.labels.tracks)
    assert checked.report["chains"] == []
    assert checked.log.name in checked.report["lists"]


def test_it_counts_the_same_points_in_boxes(checked: Checked) -> None:
    pairs = np.array(checked.report["recount"])
    assert len(pairs) == checked.report["counts"]["sample_annotation"] and pairs.sum() > 0
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


def test_its_boxes_at_key_frames_are_ours(checked: Checked) -> None:
    compared = 0
    for token, found in checked.report["boxes"].items():
        reading = checked.tables["sample_data"][token]
        if not reading["is_key_frame"]:
            continue
        now_ns = frame_ns(checked, reading["sample_token"])
        sensor_from_ego_there = ego_from_sensor(checked, reading).inverse()
        ego_there_from_world = checked.log.trajectory.at(reading["crosslabel"]["timestamp_ns"]).inverse()
        world_from_ego = checked.log.trajectory.at(now_ns)
        sensor_from_ego = sensor_from_ego_there @ ego_there_from_world @ world_from_ego
        assert len(found) == len([*checked.labels.at(now_ns)])
        if not found:
            continue
        tracks = [checked.labels.tracks[track_id(checked, entry[0])] for entry in found]
        boxes = Boxes.stack(track.annotations[now_ns].box for track in tracks)
        ours = boxes.moved(sensor_from_ego)
        _, centers, sizes_wlh, quaternions = zip(*found, strict=True)
        theirs = SE3Batch.from_quaternions_wxyz(quaternions, centers)
        assert np.abs(theirs.translations - ours.dst_from_box.translations).max() < 1e-6
        assert np.abs(theirs.rotations - ours.dst_from_box.rotations).max() < 1e-6
        assert np.array_equal(ours.sizes_lwh_m[:, [1, 0, 2]], sizes_wlh)
        compared += len(found)
    assert compared > 500


@pytest.mark.parametrize("checked", ["pandaset sparse"], indirect=True)
def test_its_boxes_at_sweeps_are_ours_in_between(checked: Checked) -> None:
    """Between key frames boxes move evenly in the world; the tables keep whole microseconds, hence 0.1 mm."""
    compared = 0
    for token, found in checked.report["boxes"].items():
        reading = checked.tables["sample_data"][token]
        following = checked.tables["sample"][reading["sample_token"]]
        now_ns = reading["crosslabel"]["timestamp_ns"]
        if reading["is_key_frame"] or not following["prev"]:
            continue
        ends_ns = (frame_ns(checked, following["prev"]), frame_ns(checked, following["token"]))
        if not ends_ns[0] < now_ns < ends_ns[1]:
            continue
        share = (now_ns - ends_ns[0]) / (ends_ns[1] - ends_ns[0])
        world_from_ego_at_ends = [checked.log.trajectory.at(t) for t in ends_ns]
        ego_from_world = checked.log.trajectory.at(now_ns).inverse()
        sensor_from_world = ego_from_sensor(checked, reading).inverse() @ ego_from_world
        for annotation, center, _, _ in found:
            annotations = checked.labels.tracks[track_id(checked, annotation)].annotations
            if ends_ns[0] not in annotations:
                continue
            first, last = (
                world_from_ego_at_end @ annotations[t].box.center
                for world_from_ego_at_end, t in zip(world_from_ego_at_ends, ends_ns, strict=True)
            )
            assert np.abs(sensor_from_world @ (first + share * (last - first)) - center).max() < 1e-4
            compared += 1
    assert compared > 1000


def test_its_velocities_are_ours(checked: Checked) -> None:
    compared = 0
    for annotation, velocity_mps in checked.report["velocities"].items():
        row = checked.tables["sample_annotation"][annotation]
        annotations = checked.labels.tracks[track_id(checked, annotation)].annotations
        rows = [checked.tables["sample_annotation"].get(row[end], row) for end in ("prev", "next")]
        first_ns, last_ns = (frame_ns(checked, end["sample_token"]) for end in rows)
        if first_ns == last_ns:
            assert np.isnan(velocity_mps).all()
            continue
        first, last = (checked.log.trajectory.at(t) @ annotations[t].box.center for t in (first_ns, last_ns))
        ours_mps = (last - first) / ((last_ns - first_ns) / 1e9)
        assert np.abs(ours_mps - velocity_mps).max() < 1e-3
        compared += 1
    assert compared > 200


def test_its_projection_is_ours(checked: Checked) -> None:
    """Every point that it draws is one of ours, and it draws every one of ours inside its margins."""
    assert len(checked.projected) >= 2
    for token, theirs in checked.projected.items():
        reading = checked.tables["sample_data"][token]
        _, camera = sensor_of(checked, reading)
        image = checked.back.image_near(camera, reading["crosslabel"]["timestamp_ns"], 0)
        ref = checked.back.sweep_at(frame_ns(checked, reading["sample_token"]))
        assert image is not None and ref is not None
        ours = cloud_in_image(checked.back, ref.read(), image)
        off_px, partner = cKDTree(ours.uv_px).query(theirs[:, :2])
        assert len(theirs) > 100 and off_px.max() < 0.01
        model = checked.back.rig.cameras[camera].model
        far = ours.depth_m > 1.01
        inner = np.all(
            (ours.uv_px > 1.1) & (ours.uv_px < (model.width_px - 1.1, model.height_px - 1.1)), axis=1
        )
        back_px, _ = cKDTree(theirs[:, :2]).query(ours.uv_px[far & inner])
        assert back_px.max() < 0.01
        same_place = np.abs(ours.depth_m[partner] - theirs[:, 2]) < 1e-3
        assert same_place.mean() > 0.99


def test_sweeps_pile_up(checked: Checked) -> None:
    piled = checked.report["multisweep"]
    period_s = float(np.median(np.diff(checked.log.timestamps_ns))) / 1e9
    assert piled["points"] > 1000
    assert np.allclose(piled["lags_s"], period_s * np.arange(4), atol=0.01)


def test_labels_are_perfect_predictions_of_themselves(checked: Checked) -> None:
    detection, tracking = checked.report["detection"], checked.report["tracking"]
    assert len(detection) >= 2 and len(tracking) >= 2
    for name, metrics in detection.items():
        assert metrics["ap"] == pytest.approx(1.0, abs=1e-9), name
        for error in ("trans_err", "scale_err", "orient_err", "vel_err"):
            none = name in ("traffic_cone", "barrier") and error in ("orient_err", "vel_err")
            assert abs(metrics[error]) < 1e-6 or (none and np.isnan(metrics[error])), (name, error)
    for name, metrics in tracking.items():
        assert metrics["amota"] == pytest.approx(1.0, abs=1e-9), name
        assert (metrics["ids"], metrics["fp"], metrics["fn"]) == (0, 0, 0), name
