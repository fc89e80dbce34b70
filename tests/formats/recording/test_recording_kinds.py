"""One drive in every kind of recording comes back as it was."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import FormatError
from formats.format import recognise
from formats.recording import RECORDING, chunks, mcap
from formats.recording.bag import HINT
from formats.registry import FORMATS
from fusion import DriveLog
from fusion.simulate import SimulationConfig, simulate
from tests.formats.recording import bags

VARIANTS: dict[str, tuple[bags.Kind, dict[str, Any]]] = {
    "rosbag1": ("bag", {}),
    "rosbag1 in bz2": ("bag", {"compression": "bz2"}),
    "rosbag1 in lz4": ("bag", {"compression": "lz4"}),
    "rosbag2 database": ("db3", {}),
    "rosbag2 MCAP": ("mcap", {}),
    "MCAP in zstd": ("mcap", {"compression": "zstd"}),
    "MCAP in lz4": ("mcap", {"compression": "lz4", "chunk_size": 4096}),
    "MCAP unpacked": ("mcap", {"compression": ""}),
    "MCAP without chunks": ("mcap", {"chunking": False}),
    "MCAP without an index": ("mcap", {"index": False}),
    "Foxglove": ("protobuf", {}),
    "Foxglove unpacked": ("protobuf", {"compression": ""}),
}


@pytest.fixture(scope="module")
def drive() -> DriveLog:
    return simulate(SimulationConfig.tiny())[0]


@pytest.fixture(scope="module")
def recorded(drive: DriveLog, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes the drive as one of the variants, once."""
    folder, written = tmp_path_factory.mktemp("recordings"), dict[str, Path]()

    def write(variant: str) -> Path:
        if variant not in written:
            kind, options = VARIANTS[variant]
            writing = bags.Writing(kind)
            bags.put_drive(writing, drive)
            written[variant] = writing.write(folder / variant.replace(" ", "_"), **options)
        return written[variant]

    return write


def opened(path: Path) -> DriveLog:
    assert RECORDING.open_log is not None
    (name,) = RECORDING.log_ids(path)
    return RECORDING.open_log(path, name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_drive_comes_back(variant: str, drive: DriveLog, recorded: Callable[[str], Path]) -> None:
    path = recorded(variant)
    assert RECORDING.recognises(path) and recognise(path, (*FORMATS, RECORDING)) is RECORDING
    log = opened(path)
    assert log.timestamps_ns.tolist() == drive.timestamps_ns.tolist() and not log.missing
    assert "left out" not in log.metadata and "damage" not in log.metadata
    same_sensors(log, drive)
    same_readings(log, drive)
    instants = drive.timestamps_ns + 50_000_000
    ours, truth = log.trajectory.at_many(instants), drive.trajectory.at_many(instants)
    assert np.abs(ours.translations - truth.translations).max() < 1e-6
    assert np.abs(ours.rotations - truth.rotations).max() < 1e-6


def same_sensors(log: DriveLog, drive: DriveLog) -> None:
    assert [*log.rig.lidars] == [*drive.rig.lidars] and set(log.rig.cameras) == set(drive.rig.cameras)
    for name, lidar in drive.rig.lidars.items():
        assert log.rig.lidars[name].ego_from_sensor.is_close(lidar.ego_from_sensor, 1e-9)
    for name, camera in drive.rig.cameras.items():
        assert log.rig.cameras[name].ego_from_sensor.is_close(camera.ego_from_sensor, 1e-9)
        assert log.rig.cameras[name].model == camera.model


def same_readings(log: DriveLog, drive: DriveLog) -> None:
    for name, refs in drive.sweeps.items():
        for ref, ours in zip(refs, log.sweeps[name], strict=True):
            sweep, truth = ours.read(), ref.read()
            assert (sweep.timestamp_ns, sweep.stamps, sweep.deskewed) == (ref.timestamp_ns, "start", False)
            for column in ("points", "intensity", "ring", "offset_ns"):
                np.testing.assert_array_equal(getattr(sweep, column), getattr(truth, column))
    for name, images in drive.images.items():
        for image, seen in zip(images, log.images[name], strict=True):
            assert seen.timestamp_ns == image.timestamp_ns
            np.testing.assert_array_equal(seen.read(), image.read())


@pytest.mark.parametrize("variant", ["rosbag1", "rosbag2 database", "MCAP in zstd", "Foxglove"])
def test_many_threads_and_other_processes_read(variant: str, recorded: Callable[[str], Path]) -> None:
    log = opened(recorded(variant))
    (refs,) = log.sweeps.values()
    once = [len(ref.read()) for ref in refs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda k: len(refs[k % len(refs)].read()), range(64))) == once * 16
    again = pickle.loads(pickle.dumps(refs[1]))
    np.testing.assert_array_equal(again.read().points, refs[1].read().points)
    assert len(pickle.dumps(refs[1])) < 4000


def test_files_of_a_rosbag2_folder_open_alone(drive: DriveLog, recorded: Callable[[str], Path]) -> None:
    for variant, ending in (("rosbag2 database", "*.db3"), ("rosbag2 MCAP", "*.mcap")):
        (file,) = recorded(variant).glob(ending)
        same_sensors(opened(file), drive)


def test_a_folder_of_recordings_is_a_data_set(recorded: Callable[[str], Path]) -> None:
    for variant in VARIANTS:
        names = recorded(variant).parent
    assert RECORDING.recognises(names) and set(RECORDING.log_ids(names)) >= {"rosbag1", "Foxglove"}
    with pytest.raises(FormatError, match="holds no recording 'other'"):
        assert RECORDING.open_log is not None
        RECORDING.open_log(names, "other")


def test_a_recording_in_several_files(drive: DriveLog, tmp_path: Path) -> None:
    writing = bags.Writing("db3")
    bags.put_drive(writing, drive)
    half = len(writing.notes) // 2
    ordered = sorted(writing.notes, key=lambda note: note.logged_ns)
    folder = tmp_path / "split"
    for k, some in enumerate((ordered[:half], ordered[half:])):
        part = bags.Writing("db3", list(some)).write(tmp_path / f"part{k}")
        folder.mkdir(exist_ok=True)
        next(part.glob("*.db3")).rename(folder / f"split_{k}.db3")
    text = (tmp_path / "part0" / "metadata.yaml").read_text(encoding="utf-8")
    text = text.replace("relative_file_paths:\n", "relative_file_paths:\n  - split_1.db3\n")
    (folder / "metadata.yaml").write_text(text.replace("part0.db3", "split_0.db3"), encoding="utf-8")
    log = opened(folder)
    same_sensors(log, drive)
    same_readings(log, drive)


@pytest.mark.parametrize("variant", ["MCAP in lz4", "MCAP unpacked", "MCAP without chunks"])
def test_a_file_that_was_cut_short_is_read_as_far_as_it_goes(
    variant: str, drive: DriveLog, recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    content = recorded(variant).read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(content[: len(content) * 3 // 4])
    log = opened(cut)
    assert 0 < len(log) < len(drive) and "cut short" in log.metadata["damage"]
    np.testing.assert_array_equal(
        log.sweeps["lidar_top"][0].read().points, drive.sweeps["lidar_top"][0].read().points
    )


def test_a_bag_without_its_index_is_refused(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    content = recorded("rosbag1").read_bytes()
    cut = tmp_path / "cut.bag"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match=HINT.split(";")[0]):
        opened(cut)


@pytest.mark.parametrize(("kind", "options"), [("bag", {}), ("mcap", {"compression": ""})])
def test_opening_reads_a_small_part_of_the_file(
    kind: bags.Kind, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = bags.Writing(kind)
    for k in range(40):
        cloud = np.zeros(20_000, dtype=bags.OUSTER)
        cloud["x"], cloud["t"] = 1.0, np.arange(20_000)
        writing.cloud("/top/points", 10**9 + k * 100_000_000, "top", cloud)
    path, asked = writing.write(tmp_path / "big", **options), [0]
    read = chunks.bytes_at

    def counted(file: Path, offset: int, size: int) -> bytes:
        asked[0] += size
        return read(file, offset, size)

    monkeypatch.setattr(chunks, "bytes_at", counted)
    monkeypatch.setattr(mcap, "bytes_at", counted)
    assert len(opened(path)) == 40 and asked[0] < 40 * 20_000 * 32 / 10


def test_a_file_of_foxglove_s_own_writer(tmp_path: Path) -> None:
    import foxglove
    from foxglove.channels import PointCloudChannel
    from foxglove.messages import PackedElementField, PackedElementFieldNumericType, PointCloud, Timestamp

    cloud = np.zeros(30, dtype="<f4,<f4,<f4")
    cloud["f0"] = np.arange(1, 31)
    fields = [
        PackedElementField(name=name, offset=4 * k, type=PackedElementFieldNumericType.Float32)
        for k, name in enumerate("xyz")
    ]
    path = tmp_path / "own.mcap"
    with foxglove.open_mcap(str(path)):
        channel = PointCloudChannel("/top/points")
        for k in range(3):
            message = PointCloud(
                timestamp=Timestamp(5, 1000 * k),
                frame_id="top",
                point_stride=12,
                fields=fields,
                data=cloud.tobytes(),
            )
            channel.log(message, log_time=10**9 * (k + 1))
    log = opened(path)
    assert log.timestamps_ns.tolist() == [5 * 10**9 + 1000 * k for k in range(3)]
    assert log.sweeps["top"][2].read().points[:, 0].tolist() == list(range(1, 31))


def test_data_of_other_formats_are_none_of_these(shared_data: Path) -> None:
    for folder in shared_data.iterdir():
        assert not RECORDING.recognises(folder), folder.name
        assert not any(RECORDING.recognises(child) for child in folder.rglob("*.yaml")), folder.name
