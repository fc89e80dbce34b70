"""Files of points: real ones, those that open3d writes, every layout by hand, and damaged ones."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from formats.errors import FormatError
from formats.pointcloud import PointCloud, read_points, write_pcd
from formats.pointcloud.sweeps import read_sweep

POINTS = np.array([[1.5, -2.25, 3], [4, 5, -6], [0.125, 0, 100]], np.float32)


def pcd(fields: str, size: str, type: str, count: str, points: int, data: str, body: bytes) -> bytes:
    head = (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE {size}\nTYPE {type}\n"
        f"COUNT {count}\nWIDTH {points}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA {data}\n"
    )
    return head.encode() + body


def plain_pcd(data: str = "binary", body: bytes = POINTS.tobytes(), points: int = 3) -> bytes:
    return pcd("x y z", "4 4 4", "F F F", "1 1 1", points, data, body)


def read(folder: Path, name: str, content: bytes) -> PointCloud:
    (folder / name).write_bytes(content)
    return read_points(folder / name)


def test_sustech_has_rings_and_times_although_its_header_puts_them_elsewhere(shared_data: Path) -> None:
    """The 40 rings and a revolution of 0.1 s, half a second after the frame five numbers before."""
    clouds = [read_points(shared_data / f"sustechpoints/lidar/{n}.pcd") for n in ("000965", "000970")]
    for cloud in clouds:
        assert cloud.ring is not None and cloud.offset_ns is not None and cloud.start_ns is not None
        assert set(np.unique(cloud.ring)) == set(range(40))
        assert cloud.offset_ns.min() == 0 and 0.098e9 < cloud.offset_ns.max() < 0.1e9
        steepness = np.degrees(np.arctan2(cloud.points[:, 2], np.hypot(*cloud.points[:, :2].T)))
        spread = [np.ptp(np.percentile(steepness[cloud.ring == ring], (10, 90))) for ring in range(40)]
        assert max(spread) < 0.6
    assert [len(cloud) for cloud in clouds] == [66781, 66899]
    assert (clouds[1].start_ns or 0) - (clouds[0].start_ns or 0) == pytest.approx(0.5e9, abs=0.005e9)


@pytest.mark.parametrize("name", ["calib_road/0.pcd", "calib_board/pcd/pose1_full.pcd"])
def test_real_ascii_files_hold_what_their_lines_say(shared_data: Path, name: str) -> None:
    cloud = read_points(shared_data / name)
    text = (shared_data / name).read_text(encoding="latin-1").split("DATA ascii\n")[1]
    rows = [line.split() for line in text.splitlines()[::997]]
    np.testing.assert_array_equal(cloud.points[::997], np.array([row[:3] for row in rows], np.float32))
    assert cloud.intensity is not None
    np.testing.assert_array_equal(cloud.intensity[::997], np.array([row[3] for row in rows], np.float32))
    assert (cloud.ring is not None) == ("board" in name)


def test_plain_tables_of_nuscenes_and_kitti(shared_data: Path) -> None:
    (file,) = (shared_data / "nuscenes_one_sample").glob("*.pcd.bin")
    nuscenes, table = read_points(file), np.fromfile(file, np.float32).reshape(-1, 5)
    np.testing.assert_array_equal(nuscenes.points, table[:, :3])
    assert nuscenes.ring is not None and nuscenes.ring.tolist() == table[:, 4].astype(int).tolist()
    for file in sorted((shared_data / "kitti_camera_lidar/training/velodyne/0052").iterdir()):
        kitti, table = read_points(file), np.fromfile(file, np.float32).reshape(-1, 4)
        np.testing.assert_array_equal(kitti.points, table[:, :3])
        assert kitti.ring is None and kitti.intensity is not None
        np.testing.assert_array_equal(kitti.intensity, table[:, 3])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.pcd", {"write_ascii": True}),
        ("a.pcd", {"write_ascii": False}),
        ("a.pcd", {"write_ascii": False, "compressed": True}),
        ("a.ply", {"write_ascii": True}),
        ("a.ply", {"write_ascii": False}),
    ],
)
def test_what_open3d_writes_is_read(tmp_path: Path, name: str, options: dict[str, bool]) -> None:
    """Many points in rows, so that the compression has something to repeat."""
    import open3d

    random = np.random.default_rng(5)
    points = np.round(random.uniform(-50, 50, (5000, 3)), 1).astype(np.float32)
    points[1000:3000] = points[:2000]
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points.astype(np.float64)))
    assert open3d.io.write_point_cloud(str(tmp_path / name), cloud, **options)
    np.testing.assert_allclose(read_points(tmp_path / name).points, points, atol=1e-5)


def test_what_is_written_is_read_by_open3d(tmp_path: Path) -> None:
    import open3d

    write_pcd(tmp_path / "a.pcd", PointCloud(POINTS, POINTS[:, 0], np.arange(3), np.arange(3) * 7))
    again = open3d.io.read_point_cloud(str(tmp_path / "a.pcd"))
    np.testing.assert_array_equal(np.asarray(again.points), POINTS)


@given(
    arrays(np.float32, st.tuples(st.integers(0, 40), st.just(3)), elements=st.floats(-1e6, 1e6, width=32)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_written_clouds_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    points: np.ndarray,
    intensity: bool,
    ring: bool,
    timed: bool,
    seed: int,
) -> None:
    random, count = np.random.default_rng(seed), len(points)
    cloud = PointCloud(
        points,
        random.uniform(0, 255, count).astype(np.float32) if intensity else None,
        random.integers(0, 4096, count).astype(np.int32) if ring else None,
        random.integers(-400_000_000, 400_000_000, count).astype(np.int32) if timed else None,
    )
    path = tmp_path_factory.mktemp("pcd") / "a.pcd"
    for _ in range(2):
        write_pcd(path, cloud)
        again = read_points(path)
        for name in ("points", "intensity", "ring"):
            before, after = getattr(cloud, name), getattr(again, name)
            assert (before is None) == (after is None)
            assert before is None or before.tobytes() == after.tobytes()
        if timed and count:
            assert again.offset_ns is not None and cloud.offset_ns is not None
            assert again.offset_ns.tolist() == cloud.offset_ns.tolist() and again.start_ns is None


CLOCKS = {
    "velodyne": ("time", "<f4", [-0.05, 0.0, 0.04], [-50_000_000, 0, 40_000_000], None),
    "ouster": ("t", "<u4", [0, 5, 99_000_000], [0, 5, 99_000_000], None),
    "livox": ("offset_time", "<u4", [7, 9, 99], [7, 9, 99], None),
    "hesai": (
        "timestamp",
        "<f8",
        [1.6e9, 1.6e9 + 0.0625, 1.6e9 + 0.1],
        [0, 62_500_000, 1e8],
        1_600_000_000 * 10**9,
    ),
    "unix us": ("timestamp", "<u8", [1_600_000_000_000_000, 1_600_000_000_000_005], [0, 5000], 16 * 10**17),
    "unix ns": ("timestamp", "<u8", [16 * 10**17 + 3, 16 * 10**17 + 8], [0, 5], 16 * 10**17 + 3),
    "float us": ("time", "<f4", [0.0, 50_000.0, 99_000.0], [0, 50_000_000, 99_000_000], None),
    "uptime": ("timestamp", "<f8", [1820.25, 1820.3125], [0, 62_500_000], 1_820_250_000_000),
}


@pytest.mark.parametrize("maker", CLOCKS)
def test_times_of_points_in_the_units_that_makers_use(tmp_path: Path, maker: str) -> None:
    name, code, values, offsets_ns, start_ns = CLOCKS[maker]
    table = np.zeros(len(values), [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), (name, code)])
    table[name] = values
    kind, size = code[1].upper(), code[2]
    content = pcd(
        f"x y z {name}", f"4 4 4 {size}", f"F F F {kind}", "1 1 1 1", len(values), "binary", table.tobytes()
    )
    cloud = read(tmp_path, "a.pcd", content)
    assert cloud.offset_ns is not None
    assert np.abs(cloud.offset_ns - np.array(offsets_ns)).max() <= (130 if "f" in code else 0)
    assert cloud.start_ns == start_ns


def test_a_sweep_counts_from_its_own_instant_where_the_clocks_agree(tmp_path: Path) -> None:
    table = np.zeros(2, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("timestamp", "<u8")])
    table["timestamp"] = [16 * 10**17 + 3, 16 * 10**17 + 8]
    content = pcd("x y z timestamp", "4 4 4 8", "F F F U", "1 1 1 1", 2, "binary", table.tobytes())
    (tmp_path / "a.pcd").write_bytes(content)
    near = read_sweep(tmp_path / "a.pcd", "top", 16 * 10**17 + 100)
    assert near.offset_ns is not None and near.offset_ns.tolist() == [-97, -92]
    far = read_sweep(tmp_path / "a.pcd", "top", 5)
    assert far.offset_ns is not None and far.offset_ns.tolist() == [0, 5]
    assert read_sweep(tmp_path / "a.pcd", "top", 5, timed=False).offset_ns is None


def test_fields_in_any_order_with_padding_and_several_numbers(tmp_path: Path) -> None:
    body = b"".join(
        struct.pack("<Hx ff2fbd3xf", 40 + k, z, y, 1.0, 2.0, -3, 0.001 * k, x)
        for k, (x, y, z) in enumerate(POINTS)
    )
    assert len(body) == 3 * struct.calcsize("<Hx ff2fbd3xf")
    fields = "ring _ z y normal extra t _ x", "2 1 4 4 4 1 8 1 4", "U U F F F I F U F", "1 1 1 1 2 1 1 3 1"
    for name, data in (("b.pcd", "binary"), ("a.pcd", "ascii")):
        text = "".join(
            f"{40 + k} 9 {z!r} {y!r} 1 2 -3 {0.001 * k!r} 9 9 9 {x!r}\n"
            for k, (x, y, z) in enumerate(POINTS.tolist())
        )
        content = pcd(*fields, 3, data, body if data == "binary" else text.encode())
        cloud = read(tmp_path, name, content)
        np.testing.assert_array_equal(cloud.points, POINTS)
        assert cloud.ring is not None and cloud.ring.tolist() == [40, 41, 42]
        assert cloud.offset_ns is not None and cloud.offset_ns.tolist() == [0, 1_000_000, 2_000_000]


def test_beams_that_met_nothing_are_left_out(tmp_path: Path) -> None:
    rows = POINTS.copy()
    rows[1, 2] = np.nan
    assert read(tmp_path, "a.pcd", plain_pcd(body=rows.tobytes())).points.tolist() == rows[[0, 2]].tolist()
    text = b"1 2 3\nnan nan nan\n4 5 6\n"
    assert len(read(tmp_path, "b.pcd", plain_pcd("ascii", text))) == 2


def test_a_column_that_cannot_be_what_it_is_called_is_left_out(tmp_path: Path) -> None:
    table = np.zeros(2, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("ring", "<u2"), ("time", "<f8")])
    table["ring"], table["time"] = 58790, [np.nan, -1e308]
    content = pcd("x y z ring time", "4 4 4 2 8", "F F F U F", "1 1 1 1 1", 2, "binary", table.tobytes())
    cloud = read(tmp_path, "a.pcd", content)
    assert cloud.ring is None and cloud.offset_ns is None and len(cloud) == 2


@pytest.mark.parametrize("order", ["little", "big"])
def test_ply_of_either_byte_order(tmp_path: Path, order: str) -> None:
    sign = "<" if order == "little" else ">"
    table = np.zeros(3, [("y", sign + "f8"), ("x", sign + "f4"), ("red", "u1"), ("z", sign + "f4")])
    table["x"], table["y"], table["z"] = POINTS.T
    head = (
        f"ply\nformat binary_{order}_endian 1.0\ncomment made by hand\nelement vertex 3\nproperty double y\n"
        "property float x\nproperty uchar red\nproperty float z\nelement face 1\n"
        "property list uchar int vertex_index\nend_header\n"
    )
    cloud = read(tmp_path, "a.ply", head.encode() + table.tobytes() + b"\x03" + bytes(12))
    np.testing.assert_array_equal(cloud.points, POINTS)


def test_npz_by_columns_and_by_points(tmp_path: Path) -> None:
    ring = np.array([1, 2, 3])
    np.savez_compressed(tmp_path / "a.npz", points=POINTS, ring=ring)
    np.savez(tmp_path / "b.npz", x=POINTS[:, 0], y=POINTS[:, 1], z=POINTS[:, 2], laser_number=ring)
    for name in ("a.npz", "b.npz"):
        cloud = read_points(tmp_path / name)
        np.testing.assert_array_equal(cloud.points, POINTS)
        assert cloud.ring is not None and cloud.ring.tolist() == [1, 2, 3]


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


LZF_HEAD = struct.pack("<II", 4, 36)
DAMAGE: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("a.pcd", b"", "not a PCD file"),
    "no header": ("a.pcd", b"hello\n" * 10, "a line begins with 'hello'"),
    "header without end": ("a.pcd", b"VERSION 0.7\n" * 9000, "no line DATA"),
    "cut short": ("a.pcd", plain_pcd()[:-1], "3 points need 36 bytes, 35 are there"),
    "absurd number": ("a.pcd", plain_pcd(points=10**15), "cut short"),
    "number beyond words": ("a.pcd", plain_pcd(points=10**30), "WIDTH needs 1 whole numbers"),
    "negative number": ("a.pcd", plain_pcd(points=-3), "whole numbers"),
    "width against points": (
        "a.pcd",
        plain_pcd().replace(b"WIDTH 3", b"WIDTH 2"),
        "WIDTH times HEIGHT is 2, but POINTS is 3",
    ),
    "no z": ("a.pcd", plain_pcd().replace(b"FIELDS x y z", b"FIELDS x y w"), "without the field 'z'"),
    "two x": ("a.pcd", plain_pcd().replace(b"FIELDS x y z", b"FIELDS x x z"), "two fields are called 'x'"),
    "type of none": ("a.pcd", plain_pcd().replace(b"TYPE F F F", b"TYPE F F Q"), "TYPE needs 3 letters"),
    "float of two bytes": (
        "a.pcd",
        plain_pcd().replace(b"SIZE 4 4 4", b"SIZE 4 4 2"),
        "cannot be 1 times F2",
    ),
    "sizes too few": ("a.pcd", plain_pcd().replace(b"SIZE 4 4 4", b"SIZE 4 4"), "SIZE needs 3"),
    "huge count": ("a.pcd", plain_pcd().replace(b"COUNT 1 1 1", b"COUNT 1 1 99999999"), "cannot be"),
    "points of nothing": (
        "a.pcd",
        plain_pcd().replace(b"COUNT 1 1 1", b"COUNT 0 0 0"),
        "a point of no bytes",
    ),
    "no such data": ("a.pcd", plain_pcd("gzip"), "DATA is ascii, binary"),
    "ascii too short": ("a.pcd", plain_pcd("ascii", b"1 2 3\n4 5 6\n"), "2 lines for 3 points"),
    "ascii of words": ("a.pcd", plain_pcd("ascii", b"1 2 3\n4 five 6\n7 8 9\n"), "not the numbers"),
    "ascii too narrow": ("a.pcd", plain_pcd("ascii", b"1 2 3\n4 5\n7 8 9\n"), "not the numbers"),
    "ascii too wide": ("a.pcd", plain_pcd("ascii", b"1 2 3 4\n" * 3), "not the numbers"),
    "packed without sizes": ("a.pcd", plain_pcd("binary_compressed", b"123"), "packed"),
    "packed cut short": ("a.pcd", plain_pcd("binary_compressed", LZF_HEAD + b"123"), "cut short"),
    "packed size of others": (
        "a.pcd",
        plain_pcd("binary_compressed", struct.pack("<II", 4, 35) + b"1234"),
        "the packed part says 35",
    ),
    "packed beyond reason": (
        "a.pcd",
        plain_pcd("binary_compressed", struct.pack("<II", 4, 12 * 10**8) + b"1234", 10**8),
        "points need",
    ),
    "packed damaged": ("a.pcd", plain_pcd("binary_compressed", LZF_HEAD + b"\xff\xff\xff\xff"), "damaged"),
    "odd bytes": ("a.bin", bytes(17), "no whole number of points"),
    "odd nuScenes bytes": ("a.pcd.bin", bytes(16), "no whole number of points"),
    "no ply": ("a.ply", b"hello", "not a PLY file"),
    "ply without vertices": (
        "a.ply",
        b"ply\nformat ascii 1.0\nelement face 3\nend_header\n",
        "so many vertices",
    ),
    "ply of lists": (
        "a.ply",
        b"ply\nformat ascii 1.0\nelement vertex 3\nproperty list uchar int x\nend_header\n",
        "plain numbers only",
    ),
    "ply of another kind": (
        "a.ply",
        b"ply\nformat zip 1.0\nelement vertex 3\nend_header\n",
        "without a format",
    ),
    "ply cut short": (
        "a.ply",
        b"ply\nformat binary_little_endian 1.0\nelement vertex 9999999999\nproperty float x\nend_header\n123",
        "cut short",
    ),
    "ascii ply cut short": (
        "a.ply",
        b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nend_header\n1\n",
        "1 lines for 2 points",
    ),
    "no zip": ("a.npz", b"hello", "not an NPZ file"),
    "npz cut short": ("a.npz", zipped(points=npy(POINTS))[:-30], "not an NPZ file"),
    "npz of objects": ("a.npz", zipped(points=npy(np.array([{}, []], object))), "no arrays that can be read"),
    "npz of words": ("a.npz", zipped(x=npy(np.array(["a"]))), "holds no numbers"),
    "npz of no arrays": ("a.npz", zipped(x=b"hello"), "no arrays that can be read"),
    "npz of other shape": (
        "a.npz",
        zipped(points=npy(POINTS.T.reshape(-1)[:8].reshape(4, 2))),
        "shape (N, 3)",
    ),
    "npz of different lengths": ("a.npz", zipped(points=npy(POINTS), ring=npy(np.arange(2))), "lengths"),
    "npz of a huge promise": (
        "a.npz",
        zipped(x=npy(np.zeros(3)).replace(b"(3,)", b"(999999999999999,)")[:100]),
        "no arrays that can be read",
    ),
    "another ending": ("a.e57", b"ASTM", "known endings are"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_files(tmp_path: Path, case: str) -> None:
    name, content, said = DAMAGE[case]
    with pytest.raises(FormatError) as raised:
        read(tmp_path, name, content)
    message = str(raised.value)
    assert str(tmp_path / name) in message and said in message and "\n" not in message and len(message) < 600


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file"):
        read_points(tmp_path / "a.pcd")


def sound_files(folder: Path) -> list[tuple[str, bytes]]:
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.repeat(POINTS, 20, axis=0)))
    open3d.io.write_point_cloud(str(folder / "c.pcd"), cloud, compressed=True)
    ply = b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
    return [
        ("a.pcd", plain_pcd()),
        ("a.pcd", plain_pcd("ascii", b"1 2 3\n4 5 6\n7 8 9\n")),
        ("a.pcd", (folder / "c.pcd").read_bytes()),
        ("a.ply", ply + b"end_header\n1 2 3\n"),
        ("a.npz", zipped(points=npy(POINTS))),
    ]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, bytes]]:
    folder = tmp_path_factory.mktemp("sound")
    files = sound_files(folder)
    return lambda which: (folder / files[which][0], files[which][1])


@given(
    st.integers(0, 4), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4)
)
@settings(max_examples=150)
def test_bytes_changed_at_random_give_points_or_one_clear_error(
    sound: Callable[[int], tuple[Path, bytes]], which: int, changes: list[tuple[int, int]]
) -> None:
    path, content = sound(which)
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    path.write_bytes(bytes(damaged))
    try:
        assert np.isfinite(read_points(path).points).all()
    except FormatError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize("offset_ns", [[134_000_000], [-5, 350_000_000], [150_000_000, 390_000_000]])
def test_offsets_in_four_bytes_are_never_a_clock(tmp_path: Path, offset_ns: list[int]) -> None:
    points = np.zeros((len(offset_ns), 3), np.float32)
    cloud = PointCloud(points, offset_ns=np.array(offset_ns, np.int32))
    write_pcd(tmp_path / "a.pcd", cloud)
    again = read_points(tmp_path / "a.pcd")
    assert again.start_ns is None
    assert again.offset_ns.tolist() == offset_ns


@pytest.mark.parametrize("names", ["x y z i", "i x y z", "z y x i", "x y i z"])
def test_axes_in_one_piece_and_apart(tmp_path: Path, names: str) -> None:
    """Whatever the order of the fields, and though points that are not finite lie between."""
    fields = names.split()
    table = np.zeros(50, dtype=[(name, "<f4") for name in fields] + [("ring", "<u2")])
    for name in fields:
        table[name] = np.random.default_rng(ord(name)).normal(0, 9, 50)
    table["y"][7] = np.nan
    head = (
        f"VERSION 0.7\nFIELDS {names} ring\nSIZE 4 4 4 4 2\nTYPE F F F F U\nCOUNT 1 1 1 1 1\n"
        "WIDTH 50\nHEIGHT 1\nPOINTS 50\nDATA binary\n"
    )
    (tmp_path / "a.pcd").write_bytes(head.encode() + table.tobytes())
    cloud, known = read_points(tmp_path / "a.pcd"), np.delete(table, 7)
    assert np.array_equal(cloud.points, np.column_stack([known[axis] for axis in "xyz"]))
    assert np.array_equal(cloud.intensity, known["i"])
