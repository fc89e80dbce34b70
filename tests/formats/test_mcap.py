"""MCAP for Foxglove: nothing of labels is lost, logs come back, damage is refused."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from calib.errors import CrosslabelError
from formats.convert import convert
from formats.errors import FormatError
from formats.format import recognise
from formats.images import read_rgb
from formats.losses import losses
from formats.mcap import MCAP
from formats.pandaset import PANDASET
from formats.recording import RECORDING
from formats.registry import FORMATS
from fusion import DriveLog, LabelSet, Sweep, SweepRef, Track, Trajectory
from fusion.simulate import SimulationConfig, simulate
from tests.formats.conftest import FRAME_NS, START_NS
from tests.formats.mutants import DAMAGES
from tests.formats.recording.containers import messages_in
from tests.formats.small import small_log
from tests.fusion import label_strategies as strategies

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
COLUMNS = ("points", "intensity", "ring", "offset_ns")
TINY = replace(SimulationConfig.tiny(), seconds=0.4, azimuth_steps=60, image_size_px=(64, 36))


def make_mcap(folder: Path) -> None:
    """A file of three frames with all that our writer keeps."""
    MCAP.write(folder, [small_log(3)])


def written(root: Path, log: DriveLog, labels: LabelSet) -> tuple[DriveLog, LabelSet]:
    MCAP.write(root, [(log, labels)])
    (name,) = MCAP.log_ids(root)
    back = MCAP.open_log(root, name)
    return back, MCAP.read_labels(root, back)


def require_same(log: DriveLog, back: DriveLog) -> None:
    """Everything that was measured, to the last bit, and places to 1e-9 m."""
    assert back.timestamps_ns.tolist() == log.timestamps_ns.tolist()
    way, again = log.trajectory, back.trajectory
    assert again.timestamps_ns.tolist() == way.timestamps_ns.tolist()
    np.testing.assert_allclose(again.world_from_ego.rotations, way.world_from_ego.rotations, atol=1e-12)
    assert (again.world_from_ego.translations == way.world_from_ego.translations).all()
    assert [*back.rig.lidars] == [*log.rig.lidars] and [*back.rig.cameras] == [*log.rig.cameras]
    for name, camera in log.rig.cameras.items():
        assert back.rig.cameras[name].ego_from_sensor.is_close(camera.ego_from_sensor, 1e-12)
        assert replace(back.rig.cameras[name], ego_from_sensor=camera.ego_from_sensor) == camera
    for name, lidar in log.rig.lidars.items():
        assert back.rig.lidars[name].ego_from_sensor.is_close(lidar.ego_from_sensor, 1e-12)
        assert back.rig.lidars[name].beam_offset_ns == lidar.beam_offset_ns
        for one, two in zip(log.sweeps.get(name, ()), back.sweeps.get(name, ()), strict=True):
            require_same_sweep(one.read(), two.read())
    for name, images in log.images.items():
        assert [ref.timestamp_ns for ref in back.images[name]] == [ref.timestamp_ns for ref in images]
        for one_image, two_image in zip(images, back.images[name], strict=True):
            truth = read_rgb(one_image.path) if one_image.path else one_image.read()
            assert (truth == two_image.read()).all()
    assert back.missing == log.missing and back.metadata == log.metadata


def require_same_sweep(one: Sweep, two: Sweep) -> None:
    for column in COLUMNS:
        before, after = getattr(one, column), getattr(two, column)
        assert (before is None) == (after is None), column
        assert before is None or (before.dtype == after.dtype and before.tobytes() == after.tobytes()), column
    same = ("lidar", "timestamp_ns", "stamps", "deskewed")
    assert all(getattr(one, name) == getattr(two, name) for name in same)


def test_a_log_comes_back(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    back, again = written(tmp_path / "out", log, labels)
    require_same(log, back)
    assert losses(labels, again) == losses(again, labels) == []
    assert [*again.tracks] == [*labels.tracks]


def test_ten_cycles_of_a_simulated_drive(tmp_path: Path) -> None:
    log, labels = simulate(TINY)
    back, again = log, labels
    for number in range(10):
        back, again = written(tmp_path / str(number), back, again)
    require_same(log, back)
    assert losses(labels, again) == losses(again, labels) == []


@given(strategies.label_sets())
@settings(max_examples=15)
def test_ten_cycles_of_any_labels(labels: LabelSet) -> None:
    """At the frames of the log, and at the first instant that an MCAP file can tell."""
    log = bare_log()
    instants = {-(2**63): START_NS, 1_532_402_927_647_951_000: START_NS + FRAME_NS, 2**63 - 1: START_NS + 1}

    def moved(track: Track) -> Track:
        at = {t: instants.get(t, t) for t in track.annotations}
        return replace(
            track, annotations={at[t]: replace(a, timestamp_ns=at[t]) for t, a in track.annotations.items()}
        )

    labels = replace(labels, tracks={id: moved(track) for id, track in labels.tracks.items()})
    back, again = log, labels
    with TemporaryDirectory() as folder:
        for number in range(10):
            back, again = written(Path(folder) / str(number), back, again)
    assert losses(labels, again) == losses(again, labels) == []


def bare_log() -> DriveLog:
    """One LiDAR of ten points a sweep, no images, a car that stands somewhere."""
    log, _ = small_log(2)
    way = log.trajectory
    stands = way.world_from_ego.take(np.zeros(len(way.timestamps_ns), dtype=np.intp))
    refs = [SweepRef("roof", r.timestamp_ns, partial(_few, r.load)) for r in log.sweeps["roof"]]
    standing = Trajectory(way.timestamps_ns, stands)
    return replace(log, trajectory=standing, sweeps={"roof": tuple(refs)}, images={})


def _few(load: Callable[[], Sweep]) -> Sweep:
    return load().keep(np.arange(10))


def test_a_car_that_stands_and_one_of_a_single_pose(tmp_path: Path) -> None:
    log = bare_log()
    require_same(log, written(tmp_path / "standing", log, LabelSet())[0])
    way = Trajectory(log.timestamps_ns[:1], log.trajectory.world_from_ego.take(slice(1)))
    back, _ = written(tmp_path / "one", replace(log, trajectory=way), LabelSet())
    assert back.trajectory.timestamps_ns.tolist() == [START_NS]
    assert len(back.sweeps["roof"]) == 1 and "way of the car" in back.missing[0].reason


def test_pandaset_comes_back_with_the_bytes_of_its_images(shared_data: Path, tmp_path: Path) -> None:
    log = PANDASET.open_log(shared_data / "pandaset", "002")
    labels = PANDASET.read_labels(shared_data / "pandaset", log)
    last_ns = int(log.timestamps_ns[1])
    few = replace(
        log,
        timestamps_ns=log.timestamps_ns[:2],
        sweeps={name: some[:2] for name, some in log.sweeps.items()},
        images={name: some[:2] for name, some in log.images.items()},
    )
    tracks = (t.without(at for at in t.annotations if at > last_ns) for t in labels.tracks.values())
    labels = replace(labels, tracks={track.id: track for track in tracks})
    back, again = written(tmp_path / "out", few, labels)
    require_same(few, back)
    assert losses(labels, again) == losses(again, labels) == [] and again.annotation_count > 100
    sent = [m.data for topic, m in messages_in(tmp_path / "out" / "002.mcap") if topic.endswith("/image")]
    assert sorted(sent) == sorted(r.path.read_bytes() for some in few.images.values() for r in some if r.path)
    written(tmp_path / "again", back, again)
    resent = [m.data for topic, m in messages_in(tmp_path / "again" / "002.mcap") if topic.endswith("/image")]
    assert resent == sent and len(sent) > 0


def test_only_files_with_scenes_are_taken(make_log: MakeLog, tmp_path: Path) -> None:
    from tests.formats.recording.bags import make_recording

    (tmp_path / "plain").mkdir()
    make_recording(tmp_path / "plain", "protobuf")
    make_mcap(tmp_path / "ours")
    ours = (MCAP, *(one for one in FORMATS if one is not MCAP))
    assert recognise(tmp_path / "ours", ours) is recognise(tmp_path / "ours" / "drive.mcap", ours) is MCAP
    assert recognise(tmp_path / "plain", ours) is RECORDING
    assert {one.name for one in ours if one.recognises(tmp_path / "ours")} == {"mcap", "recording"}
    (tmp_path / "plain" / "broken.mcap").write_bytes(b"\x89MCAP0\r\n" * 9)
    assert not MCAP.recognises(tmp_path / "plain") and not MCAP.recognises(tmp_path / "none")


def test_settings_beside_a_file_count_more(tmp_path: Path) -> None:
    make_mcap(tmp_path)
    (tmp_path / "drive.recording.yaml").write_text("ego_frame: roof\n")
    log = MCAP.open_log(tmp_path, "drive")
    assert log.metadata["ego frame"] == "roof" and [*log.rig.lidars] == ["roof"]
    ours, labels = small_log(3)
    box = MCAP.read_labels(tmp_path, log).tracks["car/1"].annotations[START_NS].box
    ego_from_roof = ours.rig.lidars["roof"].ego_from_sensor
    truth = labels.tracks["car/1"].annotations[START_NS].box.ego_from_box
    assert (ego_from_roof @ box.ego_from_box).is_close(truth)


def test_the_ego_frame_of_a_recording_that_was_converted_is_not_ours(tmp_path: Path) -> None:
    log, labels = small_log(2)
    back, again = written(tmp_path / "out", replace(log, metadata={"ego frame": "roof"}), labels)
    assert back.metadata == {"ego frame": "roof"} and losses(labels, again) == []


def test_same_input_gives_the_same_bytes(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    for name in ("one", "two"):
        MCAP.write(tmp_path / name, [(log, labels)])
    sums = [hashlib.sha256((tmp_path / n / "a log.mcap").read_bytes()).digest() for n in ("one", "two")]
    assert sums[0] == sums[1]


def test_what_cannot_be_written_is_said(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    one = labels.tracks["car/1"].annotations[START_NS]
    early, late = (LabelSet.of([Track.of("a", "b", [replace(one, timestamp_ns=t)])]) for t in (-1, 2**62))
    odd = LabelSet.of([replace(labels.tracks["car/1"], id="\ud800")])
    for given_log, given_labels, said in (
        (replace(log, sweeps={}), labels, "a log without sweeps"),
        (log, early, "no instant such as -1 ns"),
        (log, late, "no instant such as 4611686018427387904 ns"),
        (log, odd, "not a text that can be written"),
    ):
        with pytest.raises(FormatError, match=said):
            MCAP.write(tmp_path / "out", [(given_log, given_labels)])
    with pytest.raises(FormatError, match="two logs of this name"):
        MCAP.write(tmp_path / "out", [(log, labels), (log, labels)])
    assert not (tmp_path / "out").exists()


def read_everything(path: Path) -> None:
    for name in MCAP.log_ids(path):
        log = MCAP.open_log(path, name)
        MCAP.read_labels(path, log)
        for ref in (r for by in (log.sweeps, log.images) for some in by.values() for r in some[:1]):
            ref.read()


def test_damaged_copies_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    MCAP.write(tmp_path / "ours", [(bare_log(), small_log(2)[1])])
    file = tmp_path / "ours" / "drive.mcap"
    whole, refused = file.read_bytes(), 0
    for number in range(150):
        rng = random.Random(number)
        file.write_bytes(rng.choice(DAMAGES)(whole, rng))
        try:
            read_everything(tmp_path / "ours")
        except CrosslabelError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 1000
    assert 20 < refused < 150


@pytest.mark.parametrize("name", ["", "labels.mcap"])
def test_labels_alone_come_back(make_log: MakeLog, tmp_path: Path, name: str) -> None:
    log, labels = make_log()
    (one,) = convert(MCAP, tmp_path / "out" / name, lambda: iter([(log, labels)]), sensors=False)
    (file,) = (tmp_path / "out").iterdir()
    assert one.losses == () and file.name == (name or "a log.mcap")
    again = MCAP.read_labels(tmp_path / "out" / name, log)
    assert losses(labels, again) == losses(again, labels) == []
    assert {topic for topic, _ in messages_in(file)} == {"/labels"}
    assert file.stat().st_size < 200_000


def test_labels_alone_are_no_log(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    MCAP.write_labels(tmp_path / "labels.mcap", log, labels)
    with pytest.raises(FormatError, match=r"labels\.mcap"):
        MCAP.open_log(tmp_path / "labels.mcap", "labels")
