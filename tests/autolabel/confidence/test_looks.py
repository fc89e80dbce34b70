"""What a scan shows of boxes, against the same written plainly."""

import numpy as np
import pytest

from autolabel.confidence import _look_kernels as kernels
from autolabel.confidence.looks import Tallies, edges, sticking_out, turns
from autolabel.scans import Scan
from calib.se3 import SE3
from calib.types import F64
from fusion.fan import by_direction
from fusion.ground import Ground


def scan_of(points: F64, origin: F64) -> Scan:
    cloud = points.astype(np.float32)
    cloud, _, starts = by_direction(cloud, np.zeros(len(cloud)), origin)
    ground = Ground.fit(np.zeros((0, 3), np.float32))
    heights = np.ones(len(cloud), np.float32)
    return Scan(0, cloud, starts, heights, heights, SE3.identity(), origin, ground)


def street(rng: np.random.Generator, boxes: int = 25) -> tuple[Scan, F64, F64, F64]:
    """Boxes all around, some upon each other, one with the LiDAR in it; and points on and about them."""
    origin = np.array([1.0, -2.0, 1.8])
    places = np.column_stack([rng.uniform(-40, 40, (boxes, 2)), rng.uniform(0.5, 1.2, boxes)])
    places[0, :2], places[1] = origin[:2] + 0.3, places[2] + 0.4
    yaws = rng.uniform(-np.pi, np.pi, boxes)
    rotations = np.array([SE3.from_yaw(yaw).rotation for yaw in yaws])
    halves = rng.uniform([0.3, 0.3, 0.4], [4.0, 1.5, 1.5], (boxes, 3))
    around = rng.uniform(-1.3, 1.3, (boxes, 60, 3)) * halves[:, None]
    near = np.einsum("kij,knj->kni", rotations, around) + places[:, None]
    far = rng.uniform([-60, -60, 0], [60, 60, 4], (800, 3))
    return scan_of(np.vstack([near.reshape(-1, 3), far]), origin), places, rotations, halves


def bearing(xy: F64) -> F64:
    """A direction as the kernels count it, from its definition: turns of a diamond."""
    x, y = xy[..., 0], xy[..., 1]
    turn = y / (np.abs(x) + np.abs(y))
    return np.where(x < 0, 2 - turn, np.where(y >= 0, turn, 4 + turn))


def apart(a: F64, b: F64) -> F64:
    return np.abs((a - b + 2) % 4 - 2)


def plainly(scan: Scan, places: F64, rotations: F64, halves: F64) -> tuple[np.ndarray, ...]:
    """Counts, faces, lines and tops, box by box."""
    points = scan.points.astype(np.float64)
    own = np.einsum("kji,knj->kni", rotations, points[None] - places[:, None])
    inside = (np.abs(own) <= halves[:, None]).all(axis=2)
    owners = inside.sum(axis=0)
    counts, faces = np.zeros((len(places), 4), int), np.zeros((len(places), 5, kernels.BINS), int)
    lines, tops = np.zeros((len(places), 2, 5)), np.full((len(places), 2), np.nan)
    seen, away = points - scan.origin, np.linalg.norm((points - scan.origin)[:, :2], axis=1)
    for k, (place, half) in enumerate(zip(places, halves, strict=True)):
        mine, u = inside[k], own[k]
        counts[k, :2] = mine.sum(), (mine & (owners > 1)).sum()
        middle = place - scan.origin
        far, size = np.linalg.norm(middle[:2]), np.linalg.norm(half[:2])
        corners = place[:2] + (rotations[k] @ (np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * half[:2] @
                                               np.eye(2, 3)).T).T[:, :2]  # fmt: skip
        wide = apart(bearing(corners - scan.origin[:2]), bearing(middle)).max()
        wide = 2.0 if far**2 < 1.2 * size**2 else wide
        side = apart(bearing(seen), bearing(middle))
        height = (scan.origin[2] - place[2] + seen[:, 2] * far / away) / half[2]
        off = np.abs(away - far) >= size + kernels.REACH_M
        counts[k, 2] = (off & (side < wide) & (away < far) & (np.abs(height) < 1)).sum()
        beyond = off & (away > far + size + kernels.BEHIND_M)
        counts[k, 3] = (beyond & (side < kernels.CORE * wide) & (height > -kernels.LOW) & (height < 0)).sum()
        used = mine | ((owners == 0) & (np.abs(u) - half <= kernels.REACH_M).all(axis=1))
        depth = half - np.abs(u)
        tall = (depth[:, 2] > -kernels.BESIDE_M) & (u[:, 2] > kernels.FLOOR_M - half[2])
        for face, (axis, sign) in enumerate(((0, 1), (0, -1), (1, 1), (1, -1), (2, 1))):
            rows = used & (tall & (depth[:, 1 - axis] > -kernels.BESIDE_M) if axis < 2 else
                           (depth[:, :2] > 0).all(axis=1))  # fmt: skip
            at = np.floor((sign * u[rows, axis] - half[axis] + kernels.INSIDE_M) / kernels.BIN_M).astype(int)
            faces[k, face] = np.bincount(at[(at >= 0) & (at < kernels.BINS)], minlength=kernels.BINS)
        eye = rotations[k].T @ (scan.origin - place)
        for axis in range(2):
            sign = 1.0 if eye[axis] > 0 else -1.0
            if sign * eye[axis] >= half[axis]:
                a = u[mine & (sign * u[:, axis] >= half[axis] - kernels.SKIN_M)]
                along, deep = a[:, 1 - axis], a[:, axis]
                lines[k, axis] = len(a), along.sum(), deep.sum(), along @ along, along @ deep
        for end, sign in enumerate((1, -1)):
            third = u[mine & (sign * u[:, 0] > half[0] / 3), 2]
            tops[k, end] = third.max() if len(third) else np.nan
    return counts, faces, lines, tops


@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_counts_as_written_plainly(seed: int) -> None:
    scan, *boxes = street(np.random.default_rng(seed))
    seen = Tallies.of(scan, *boxes)
    counts, faces, lines, tops = plainly(scan, *boxes)
    assert counts[:, 0].sum() > 300 and counts[:, 1].sum() > 5 and (counts[:, 2:].sum(axis=0) > 20).all()
    np.testing.assert_array_equal(seen.counts, counts)
    np.testing.assert_array_equal(seen.faces, faces)
    np.testing.assert_allclose(seen.lines, lines, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(seen.tops, tops, atol=1e-4)


def side_of_a_car(off_m: float, turned_rad: float) -> tuple[Scan, F64, F64, F64]:
    """The left side of a car, seen from its left, in a box that is beside it and turned."""
    rng = np.random.default_rng(3)
    side = np.column_stack([rng.uniform(-2, 2, 400), np.full(400, 1.0), rng.uniform(-0.6, 0.7, 400)])
    rotation = SE3.from_yaw(turned_rad).rotation[None]
    scan = scan_of(side, np.array([0.0, 12.0, 1.0]))
    return scan, np.array([[0.0, -off_m, 0.0]]), np.ascontiguousarray(rotation), np.array([[2.2, 1.0, 0.75]])


def test_edges_say_where_the_points_end() -> None:
    for off_m in (0.0, 0.15, -0.3):
        seen = Tallies.of(*side_of_a_car(off_m, 0.0))
        left = edges(seen.faces, seen.counts[:, 0].astype(float))[0, 2]
        assert left == pytest.approx(off_m, abs=kernels.BIN_M)
    assert sticking_out(Tallies.of(*side_of_a_car(0.25, 0.0)).faces)[0] == pytest.approx(1.0)
    assert sticking_out(Tallies.of(*side_of_a_car(0.0, 0.0)).faces)[0] == 0.0


def test_lines_say_how_far_a_box_is_turned() -> None:
    for turned_rad in (0.0, 0.03, -0.05):
        seen = Tallies.of(*side_of_a_car(-0.12, turned_rad))
        turn, leverage = turns(seen.lines)
        assert turn[0] == pytest.approx(-turned_rad, abs=0.005)
        assert leverage[0] > 10


def test_what_stands_before_and_what_is_seen_through() -> None:
    box = (np.array([[20.0, 0.0, 1.0]]), np.eye(3)[None], np.array([[2.0, 1.0, 1.0]]))
    origin = np.array([0.0, 0.0, 1.8])
    before, behind = np.array([[10.0, 0.05, 1.2]]), np.array([[30.0, 0.05, 0.4]])
    assert Tallies.of(scan_of(before, origin), *box).counts[0].tolist() == [0, 0, 1, 0]
    assert Tallies.of(scan_of(behind, origin), *box).counts[0].tolist() == [0, 0, 0, 1]
    assert Tallies.of(scan_of(behind + np.array([0.0, 9.0, 0.0]), origin), *box).counts[0].tolist() == [
        0,
        0,
        0,
        0,
    ]
