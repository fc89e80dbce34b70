"""Cells of space, columns and rectangles of the learning-free detector, on points that are made up."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autolabel.detect import _cell_kernels, _shape_kernels
from autolabel.detect.cells import Cells
from autolabel.detect.clusters import Columns, Groups
from autolabel.detect.complete import completed
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import shapes_of
from calib.types import F64

CAR = np.array([[prior.category for prior in PRIORS].index("car")])


@settings(deadline=None, max_examples=40)
@given(yaw=st.floats(0, np.pi / 2 - 0.01), length=st.floats(2.5, 8), seed=st.integers(0, 99))
def test_the_angle_of_two_sides_is_found(yaw: float, length: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = np.column_stack([rng.uniform(0, length, 80), np.zeros(80)])
    end = np.column_stack([np.zeros(40), rng.uniform(0, 1.8, 40)])
    xy = np.vstack([side, end]) + rng.normal(0, 0.01, (120, 2))
    turned = xy @ np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    found, _ = _shape_kernels.best_yaw(turned, 18, 5, 0.05)
    off = (found - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    assert abs(np.degrees(off)) < 2


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 5))
def test_cells_count_frames_as_a_dictionary_does(seed: int, frames: int) -> None:
    """However often the table has to grow meanwhile."""
    rng = np.random.default_rng(seed)
    cells = Cells.of(0.25, 4, first=(np.int32, 1), last=(np.int32, 1), times=(np.int32, 1))
    known: dict[tuple[int, ...], list[int]] = {}
    for frame in range(frames):
        points = rng.uniform(-6, 6, (3000, 3)).astype(np.float32)
        above_m, done = rng.uniform(0, 1, 3000).astype(np.float32), 0
        while done < len(points):
            columns = [cells.columns[name] for name in ("first", "last", "times")]
            wanted = np.zeros(3), 5.0, 0.5, frame, 4.0
            done = _cell_kernels.note_occupied(points, above_m, done, *wanted, *cells.table, *columns)
            if done < len(points):
                cells.grow()
        kept = points[(above_m >= 0.5) & (np.linalg.norm(points[:, :2], axis=1) < 5.0)]
        for cell in {tuple(row) for row in np.floor(kept * np.float32(4.0)).astype(int).tolist()}:
            known.setdefault(cell, []).append(frame)
    used = np.flatnonzero(cells.columns["times"])
    found = cells.cells(used) - (1 << 20)
    assert {tuple(cell) for cell in found.tolist()} == known.keys()
    for row, cell in zip(used, found.tolist(), strict=True):
        seen = known[tuple(cell)]
        assert cells.columns["times"][row] == len(seen)
        assert (cells.columns["first"][row], cells.columns["last"][row]) == (seen[0], seen[-1])
    np.testing.assert_allclose(cells.middles(used), (found + 0.5) * 0.25)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_means_of_fine_cells_are_those_of_their_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = (rng.uniform(-3, 3, (2000, 3)) + rng.uniform(-500, 500, 3)).astype(np.float32)
    above_m, chosen = rng.uniform(0, 4, 2000).astype(np.float32), np.flatnonzero(rng.uniform(size=2000) < 0.7)
    fine, done = Cells.of(0.5, 3, sums=(np.float32, 5)), 0
    while done < len(chosen):
        sums = fine.columns["sums"]
        done = _cell_kernels.add_points(points, above_m, chosen, done, 2.0, *fine.table, sums)
        if done < len(chosen):
            fine.grow()
    places, heights_m = fine.means()
    cell = np.floor(points[chosen].astype(np.float64) * 2.0)
    keys, group = np.unique(cell, axis=0, return_inverse=True)
    expected = np.column_stack([np.bincount(group, points[chosen, k]) for k in range(3)])
    expected = np.column_stack([expected, np.bincount(group, above_m[chosen])]) / np.bincount(group)[:, None]
    order = np.lexsort(np.floor(places * 2.0).T[::-1])
    assert len(places) == len(keys)
    np.testing.assert_allclose(np.column_stack([places, heights_m])[order], expected, atol=1e-3)


def test_two_cars_bumper_to_bumper_are_cut_where_they_meet() -> None:
    points = np.vstack(
        [block((0, 0), (4, 1.7), 1.5), block((4, 0), (0.4, 1.7), 0.5), block((4.4, 0), (4, 1.7), 1.5)]
    )
    every = Groups(np.arange(len(points)), np.array([0, len(points)]))
    parts = every.cut(points, points[:, 2], np.array([[4.2, 0.85, 0.0, 8.4, 1.7]]))
    assert sorted(parts.order.tolist()) == every.order.tolist()
    first, second = (points[parts.of(g)][:, 0] for g in range(2))
    assert first.max() <= 4.45 and second.min() >= 3.95


def block(center: tuple[float, float], size: tuple[float, float], height: float) -> F64:
    x, y = np.meshgrid(np.arange(0, size[0], 0.05), np.arange(0, size[1], 0.05))
    flat = np.column_stack([x.ravel() + center[0], y.ravel() + center[1]])
    return np.vstack([np.column_stack([flat, np.full(len(flat), z)]) for z in np.arange(0.1, height, 0.2)])


def test_columns_keep_apart_what_stands_apart_and_leave_out_what_hangs() -> None:
    hanging = block((0.5, 0.5), (1, 1), 0.6) + np.array([0, 0, 3.0])
    points = np.vstack([block((0, 0), (2, 1), 1.5), block((2.5, 0), (2, 1), 1.5), hanging])
    columns = Columns.of(points, points[:, 2])
    standing = columns.tops_m > 0
    for reach_m, expected in ((0.3, 2), (0.8, 1)):
        groups = columns.groups(standing, np.full(len(standing), reach_m))
        assert len(groups) == expected
        assert sorted(groups.order.tolist()) == sorted(set(groups.order.tolist()))
    assert columns.tops_m.max() < 2.0


def test_a_column_over_nothing_does_not_stand() -> None:
    points = block((0, 0), (1, 1), 0.6) + np.array([0, 0, 2.5])
    assert (Columns.of(points, points[:, 2]).tops_m == 0).all()


@settings(deadline=None, max_examples=40)
@given(yaw=st.floats(-3, 3), azimuth=st.floats(-3, 3), seen=st.floats(0.4, 1.0))
def test_the_seen_corner_keeps_its_place(yaw: float, azimuth: float, seen: float) -> None:
    """However little of a car's sides is seen, the corner between them stays where it is."""
    corner = np.array([12 * np.cos(azimuth), 12 * np.sin(azimuth)])
    c, s = np.cos(yaw), np.sin(yaw)
    axes = np.array([[c, s], [-s, c]])
    axes *= np.sign(axes @ corner)[:, None]  # both sides lead away from the LiDAR
    assume(np.abs(axes @ corner).min() >= 2.0)
    steps = np.linspace(0, 1, 60)[:, None]
    xy = np.vstack([corner + steps * seen * 4.6 * axes[0], corner + steps * seen * 1.9 * axes[1]])
    points = np.vstack([np.column_stack([xy, np.full(len(xy), z)]) for z in (0.3, 0.7, 1.1, 1.5)])
    columns = Columns.of(points, points[:, 2])
    groups = columns.groups(columns.tops_m > 0, np.full(len(columns.tops_m), 0.5))
    shapes = shapes_of(points, points[:, 2], groups, columns, np.zeros((1, 3)), True)
    boxes = completed(shapes, CAR, np.array([np.arctan2(*axes[0][::-1])]))
    corners = boxes.corners()[0, :, :2]
    assert np.linalg.norm(corners - corner, axis=1).min() < 0.15
    assert boxes.sizes_lwh_m[0, 0] > 3.5
