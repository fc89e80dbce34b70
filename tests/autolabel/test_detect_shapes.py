"""Cells of space, columns and rectangles of the learning-free detector, on points that are made up."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from autolabel.detect import _cell_kernels, _shape_kernels
from autolabel.detect.cells import Cells
from autolabel.detect.clusters import CELL_M, Columns, Groups
from autolabel.detect.complete import completed
from autolabel.detect.means import Means
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
    cells = Cells.of(0.25, 4, seen=(np.int32, 3))
    known: dict[tuple[int, ...], list[int]] = {}
    for frame in range(frames):
        points = rng.uniform(-6, 6, (3000, 3)).astype(np.float32)
        above_m, done = rng.uniform(0, 1, 3000).astype(np.float32), 0
        while done < len(points):
            wanted, column = (np.zeros(3), 5.0, 0.5, frame, 4.0), cells.columns["seen"]
            done = _cell_kernels.note_occupied(points, above_m, done, *wanted, *cells.table, column)
            if done < len(points):
                cells.grow()
        kept = points[(above_m >= 0.5) & (np.linalg.norm(points[:, :2], axis=1) < 5.0)]
        for cell in {tuple(row) for row in np.floor(kept * np.float32(4.0)).astype(int).tolist()}:
            known.setdefault(cell, []).append(frame)
    used = np.flatnonzero(cells.columns["seen"][:, 2])
    found = cells.cells(used) - (1 << 20)
    assert {tuple(cell) for cell in found.tolist()} == known.keys()
    for row, cell in zip(used, found.tolist(), strict=True):
        seen = known[tuple(cell)]
        assert cells.columns["seen"][row].tolist() == [seen[0], seen[-1], len(seen)]
    np.testing.assert_allclose(cells.middles(used), (found + 0.5) * 0.25)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), flag=st.integers(0, 2))
def test_points_are_chosen_by_the_flags_of_their_cells(seed: int, flag: int) -> None:
    """What no table knows has the flag 0, and so have most cells."""
    rng = np.random.default_rng(seed)
    cells, near = Cells.of(0.25, 9, seen=(np.int32, 3)), (np.zeros(3), 5.0, 0.5)
    known, points = (rng.uniform(-6, 6, (n, 3)).astype(np.float32) for n in (300, 3000))
    every, above_m = np.ones(300, np.float32), rng.uniform(0, 1, 3000).astype(np.float32)
    column = cells.columns["seen"]
    assert _cell_kernels.note_occupied(known, every, 0, *near, 0, 4.0, *cells.table, column) == 300
    flags = rng.integers(0, 3, len(cells.columns["seen"])).astype(np.uint8)
    used = 64 * int(cells.count[0])
    flag_of = dict(zip(map(tuple, (cells.cells(np.arange(used)) - (1 << 20)).tolist()), flags, strict=False))
    chosen = np.empty(3000, dtype=np.int64)
    table = cells.keys, cells.numbers, flags
    count = _cell_kernels.select(points, above_m, *near, 4.0, *table, flag, chosen)
    wanted = (above_m >= 0.5) & (np.linalg.norm(points[:, :2], axis=1) < 5.0)
    own = [flag_of.get(tuple(cell), 0) for cell in np.floor(points * np.float32(4.0)).astype(int).tolist()]
    np.testing.assert_array_equal(chosen[:count], np.flatnonzero(wanted & (np.array(own) == flag)))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), waiting=st.integers(1, 3000))
def test_means_of_fine_cells_are_those_of_their_points(seed: int, waiting: int) -> None:
    """However few points wait, and however often the table has to grow meanwhile."""
    rng = np.random.default_rng(seed)
    points = (rng.uniform(-3, 3, (2000, 3)) + rng.uniform(-500, 500, 3)).astype(np.float32)
    above_m, chosen = rng.uniform(0, 4, 2000).astype(np.float32), np.flatnonzero(rng.uniform(size=2000) < 0.7)
    fine = Means(0.5, 3, waiting)
    for part in np.array_split(chosen, 3):
        fine.add(points, above_m, part)
    places, heights_m = fine.means()
    cell = np.floor(points[chosen].astype(np.float64) * 2.0)
    keys, group = np.unique(cell, axis=0, return_inverse=True)
    columns = [*points[chosen].T, above_m[chosen]]
    expected = np.column_stack([np.bincount(group, c) for c in columns]) / np.bincount(group)[:, None]
    order = np.lexsort(np.floor(places * 2.0).T[::-1])
    assert len(places) == len(keys)
    np.testing.assert_allclose(np.column_stack([places, heights_m])[order], expected, atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), reach=st.floats(0.5, 4.0))
def test_columns_are_grouped_as_by_comparing_each_with_each(seed: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(-1.5, 1.5, (120, 2)), rng.uniform(0.1, 1.0, 120)])
    columns = Columns.of(points, points[:, 2])
    wanted = rng.uniform(size=len(columns.cells)) < 0.8
    reach_m = rng.uniform(0.5, 1.0, len(wanted)) * reach * CELL_M
    groups = columns.groups(wanted, reach_m)
    cell = np.floor(columns.places / CELL_M)
    away = np.linalg.norm(cell[:, None] - cell[None], axis=2)
    near = (away <= np.maximum(reach_m[:, None], reach_m[None]) / CELL_M) & wanted[:, None] & wanted[None]
    _, part = connected_components(near)
    expected = {tuple(np.flatnonzero(part[columns.column] == p)) for p in set(part[wanted])}
    expected = {tuple(i for i in e if not columns.hangs[i]) for e in expected}
    assert {tuple(groups.of(g).tolist()) for g in range(len(groups))} == expected
    firsts = [int(columns.column[groups.of(g)].min()) for g in range(len(groups))]
    assert firsts == sorted(firsts)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), turns=st.integers(1, 20))
def test_closeness_is_the_mean_of_each_points_own(seed: int, turns: int) -> None:
    rng = np.random.default_rng(seed)
    xy, yaws = rng.normal(0, 1, (50, 2)), rng.uniform(-3, 3, turns)
    for yaw, found in zip(yaws, _shape_kernels.closeness(xy, yaws, 0.05), strict=True):
        c, s = np.cos(yaw), np.sin(yaw)
        ab = xy @ np.array([[c, -s], [s, c]])
        away = np.minimum(ab - ab.min(axis=0), ab.max(axis=0) - ab).min(axis=1)
        assert found == pytest.approx((0.05 / np.maximum(away, 0.05)).mean())


@settings(deadline=None, max_examples=50)
@given(values=st.lists(st.floats(-9, 9), min_size=1, max_size=40), data=st.data())
def test_the_lowest_but_for_a_few_is_that_of_sorted_values(values: list[float], data: st.DataObject) -> None:
    few = data.draw(st.integers(0, len(values) - 1))
    assert _shape_kernels.after_lowest(np.array(values), few) == sorted(values)[few]


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
