"""LAS and LAZ: written and read, as laspy and others write them, in a plain folder, and damaged."""

from collections.abc import Callable
from pathlib import Path

import laspy
import numpy as np
import pytest

from formats.errors import FormatError
from formats.folder import FOLDER
from formats.pointcloud import PointCloud, is_point_file, read_points, write_las
from formats.pointcloud.las import STEP_M
from fusion import DriveLog, LabelSet
from tests.formats.damage import survive

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
ENDINGS = (".las", ".laz")


def cloud(count: int = 2000) -> PointCloud:
    random = np.random.default_rng(3)
    return PointCloud(
        random.uniform((-90, -90, -3), (90, 90, 12), (count, 3)).astype(np.float32),
        random.uniform(0, 1, count).astype(np.float32),
        (np.arange(count) % 32).astype(np.int32),
        np.linspace(-90_000_000, 5_000_000, count).astype(np.int32),
    )


def make_las(folder: Path) -> None:
    """A file of each kind."""
    for ending in ENDINGS:
        write_las(folder / f"cloud{ending}", cloud(200))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_cloud_comes_back(tmp_path: Path, ending: str) -> None:
    one, file = cloud(), tmp_path / f"cloud{ending}"
    write_las(file, one)
    back = read_points(file)
    assert np.abs(back.points - one.points).max() <= STEP_M / 2 + 1e-5
    for name in ("intensity", "ring", "offset_ns"):
        assert np.array_equal(getattr(back, name), getattr(one, name)), name
    again = tmp_path / f"again{ending}"
    write_las(again, back)
    assert read_points(again).points.tobytes() == back.points.tobytes()
    write_las(tmp_path / f"twin{ending}", one)
    assert (tmp_path / f"twin{ending}").read_bytes() == file.read_bytes()
    with laspy.open(file) as reader:
        assert reader.header.are_points_compressed == (ending == ".laz")
        assert reader.read().intensity.max() > 65_000


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_cloud_and_one_of_points_alone(tmp_path: Path, ending: str) -> None:
    for count in (0, 5):
        file = tmp_path / f"{count}{ending}"
        write_las(file, PointCloud(np.ones((count, 3), np.float32)))
        back = read_points(file)
        assert len(back) == count and back.intensity is back.ring is back.offset_ns is None


def test_as_others_write_it(tmp_path: Path) -> None:
    """GPS times far from 1970, intensities of 16 bits, coordinates of a map, and a ring beside."""
    header = laspy.LasHeader(point_format=3, version="1.2")
    header.scales, header.offsets = np.full(3, 0.01), np.array([400_000.0, 5_600_000.0, 0])
    header.add_extra_dim(laspy.ExtraBytesParams(name="Ring", type=np.uint8))
    las = laspy.LasData(header)
    las.x, las.y, las.z = (
        np.array([400_001.0, 400_002]),
        np.array([5_600_001.0, 5_600_002]),
        np.array([1.5, 2]),
    )
    las.intensity, las.gps_time = np.array([7, 40_000]), np.array([345_600.25, 345_600.30])
    las["Ring"] = np.array([3, 4])
    las.write(tmp_path / "survey.las")
    back = read_points(tmp_path / "survey.las")
    assert back.intensity is not None and back.intensity.tolist() == [7, 40_000]
    assert back.ring is not None and back.ring.tolist() == [3, 4]
    assert back.offset_ns is not None and np.abs(back.offset_ns - [0, 50_000_000]).max() < 100
    assert back.start_ns == 345_600_250_000_000
    assert back.points[1].tolist() == pytest.approx([400_002, 5_600_002, 2], rel=1e-7)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_plain_folder_of_them(make_log: MakeLog, tmp_path: Path, ending: str) -> None:
    log, labels = make_log(frames=3)
    FOLDER.write(tmp_path / "out", [(log, labels)])
    for file in sorted((tmp_path / "out").rglob("*.pcd")):
        write_las(file.with_suffix(ending), read_points(file))
        file.unlink()
        assert is_point_file(file.with_suffix(ending))
    back = FOLDER.open_log(tmp_path / "out", log.name)
    for name, refs in log.sweeps.items():
        for ref, copy in zip(refs, back.sweeps[name], strict=True):
            sweep, read = ref.read(), copy.read()
            assert np.abs(sweep.points - read.points).max() < 6e-4 and read.timestamp_ns == ref.timestamp_ns
            assert np.array_equal(sweep.ring, read.ring) and sweep.deskewed == read.deskewed


def test_points_beyond_its_steps_are_refused(tmp_path: Path) -> None:
    far = PointCloud(np.array([[0, 0, 0], [1e7, 0, 0]], np.float32))
    with pytest.raises(FormatError, match="too far apart"):
        write_las(tmp_path / "far.las", far)
    assert not (tmp_path / "far.las").exists()


def header_with(at: int, number: int, size: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + number.to_bytes(size, "little") + content[at + size :]


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "not a LAS file"),
    "another file": (lambda content: b"PLY " + content[4:], "not a LAS file"),
    "half a header": (lambda content: content[:200], "not a LAS file"),
    "half the points": (lambda content: content[: len(content) // 2], ""),
    "points without end": (header_with(247, 2**62, 8), "cut short"),
    "points of nothing": (header_with(105, 0, 2), "cannot be"),
    "a wrong start": (header_with(96, 2**31, 4), "points at byte"),
    "records without end": (header_with(100, 2**31, 4), "cannot be"),
    "no such points": (header_with(104, 77, 1), ""),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", DAMAGE)
def test_damaged(tmp_path: Path, ending: str, case: str) -> None:
    damage, said = DAMAGE[case]
    file = tmp_path / f"cloud{ending}"
    write_las(file, cloud())
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(FormatError) as raised:
        read_points(file)
    assert str(file) in str(raised.value) and said in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("ending", ENDINGS)
def test_random_damage(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"cloud{ending}"
    write_las(file, cloud(200))
    told, done = survive([file], lambda: read_points(file), each=300)
    assert told > 50 and told + done == 300
