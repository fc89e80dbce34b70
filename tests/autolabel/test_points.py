"""What objects are followed by: their points, gathered, described as a surface, aligned, predicted."""

import numpy as np
import pytest

from autolabel.points import PointsConfig
from autolabel.points.config import WALKER
from autolabel.points.filter import States
from autolabel.points.follow import Sights
from autolabel.points.rest import _leaving
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from calib.types import kernel_view
from fusion.boxes import Box3D
from fusion.categories import Kind
from fusion.fan import by_direction
from fusion.overlap import points_in_box

EYE = np.array([20.0, -15.0, 1.8, 0.0])
NO_RIVALS = np.empty(0, dtype=np.int64)


def fan_of(points, eye=EYE):
    """Points of a standing world as the kernels take them."""
    cloud = np.ascontiguousarray(points, dtype=np.float32)
    cloud, _, starts = by_direction(cloud, np.zeros(len(cloud)), eye[:3])
    starts = kernel_view(starts, 1, np.int32)[:, 0]
    cloud.flags.writeable = False
    return cloud, (starts, np.zeros(0), eye)


def gathered(points, pose, half, most=300, move=None, margin_m=0.0):
    from autolabel.points import _gather_kernels

    cloud, fan = fan_of(points)
    found = np.empty((most, 3))
    nobody, sizes = np.empty((0, 4)), np.empty((0, 3))
    move = np.zeros(4) if move is None else move
    kept, count = _gather_kernels.gather(
        cloud, fan, pose, move, half, margin_m, 0.0, NO_RIVALS, 0.0, nobody, sizes, found
    )
    return found[:kept], count


def seen_faces(size, rng, count=400, noise_m=0.02):
    """Points on the two upright faces of a box at the origin that look towards `EYE`."""
    half = np.array(size) / 2
    heights = rng.uniform(-half[2] + 0.2, half[2], count)
    side = rng.random(count) < half[0] / (half[0] + half[1])
    along = np.where(side, rng.uniform(-half[0], half[0], count), half[0] - 0.05)
    across = np.where(side, -half[1] + 0.05, rng.uniform(-half[1], half[1], count))
    return np.column_stack([along, across, heights]) + rng.normal(0, noise_m, (count, 3))


def placed(points, pose):
    c, s = np.cos(pose[3]), np.sin(pose[3])
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + pose[:3]


def test_gathering_finds_what_lies_in_the_box_but_on_its_floor() -> None:
    """The ground may show in the lowest tenth of a box."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-6, 6, (5000, 3)).astype(np.float32)
    pose, size = np.array([0.7, -1.2, 0.1, 0.6]), (4.0, 2.0, 1.5)
    inside = points_in_box(points, Box3D.upright(pose[:3], size, pose[3]))
    inside &= points[:, 2] > pose[2] - 0.4 * size[2]
    found, count = gathered(points, pose, np.array(size) / 2, most=5000)
    assert count == inside.sum() > 20
    assert {tuple(p) for p in found.astype(np.float32)} == {tuple(p) for p in points[inside]}


def test_too_many_points_are_thinned_evenly_and_always_alike() -> None:
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (5000, 3))
    pose, half = np.zeros(4), np.array([2.0, 2.0, 2.0])
    some, count = gathered(points, pose, half, most=100)
    again, _ = gathered(points, pose, half, most=100)
    assert count > 4900
    assert 90 <= len(some) <= 100
    assert some.tobytes() == again.tobytes()
    assert np.abs(some.mean(axis=0)).max() < 0.4


def test_points_are_taken_to_the_instant_of_the_box() -> None:
    """Half of an object is met a tenth of a second later, when it is 1.5 m further on."""
    from autolabel.points import _gather_kernels

    rng = np.random.default_rng(0)
    body = rng.uniform(-1, 1, (400, 3)) * [2.0, 0.9, 0.5]
    late = body[:, 1] > 0
    points = body + late[:, None] * [1.5, 0, 0] + [-20.0, 0, 0]
    cloud, (starts, _, eye) = fan_of(points, np.array([0.0, 0, 1.8, 0.0]))
    to_the_left_late = np.array([0.1] * 90 + [0.0] * 90)
    fan = (starts, to_the_left_late, eye)
    found, half = np.empty((400, 3)), np.array([2.0, 0.9, 0.7])
    nobody, sizes, pose = np.empty((0, 4)), np.empty((0, 3)), np.array([-20.0, 0, 0, 0])
    counts = []
    for speed_mps in (15.0, 0.0):
        move = np.array([speed_mps, 0.0, 0.0, 0.1 * speed_mps])
        kept, _ = _gather_kernels.gather(
            cloud, fan, pose, move, half, 0.01, 0.01, NO_RIVALS, 0.0, nobody, sizes, found
        )
        counts.append(kept)
    assert counts[0] == 400
    assert (~late).sum() <= counts[1] < 400


@pytest.mark.parametrize("seed", range(6))
def test_an_alignment_finds_the_pose(seed) -> None:
    from autolabel.points import _kernels

    rng, config = np.random.default_rng(seed), PointsConfig()
    size = np.array([4.5, 1.9, 1.6])
    shapes = Shapes.of_boxes(size[None], [config.of(Kind.CAR)])
    from autolabel.points import _shape_kernels

    _shape_kernels.add_points(
        seen_faces(size, rng),
        400,
        np.zeros(4),
        size / 2,
        0.1,
        1.0,
        shapes.sums,
        shapes.dims[0],
        shapes.lows[0],
        shapes.cells_m[0],
    )
    shapes.finish(np.zeros(1, int))
    x, y = rng.uniform(-1, 1, 2)
    truth = np.array([x, y, 0.0, rng.uniform(-0.1, 0.1)])
    points = placed(seen_faces(size, rng, 200), truth)
    pose = truth + rng.uniform(-1, 1, 4) * [0.3, 0.3, 0.0, 0.08]
    hessian = np.zeros((4, 4))
    _kernels.align(points, 200, pose, size / 2, EYE, _kernels.pick(shapes.arrays, 0), 12, 100.0, 1.0, hessian)
    assert np.hypot(*(pose - truth)[:2]) < 0.03
    assert abs(pose[3] - truth[3]) < 0.02
    assert np.linalg.eigvalsh(hessian[:2, :2])[0] > 0


def test_what_moved_on_no_longer_fits_its_first_place() -> None:
    """Half a metre further most points of a car still lie in its first box, and few on its surface there."""
    from autolabel.points import _kernels, _shape_kernels

    rng, size = np.random.default_rng(0), np.array([4.5, 1.9, 1.6])
    shapes = Shapes.of_boxes(size[None], [PointsConfig().of(Kind.CAR)])
    _shape_kernels.add_points(
        seen_faces(size, rng), 400, np.zeros(4), size / 2, 0.1, 1.0,
        shapes.sums, shapes.dims[0], shapes.lows[0], shapes.cells_m[0],
    )  # fmt: skip
    shapes.finish(np.zeros(1, int))
    moved = np.array([[-0.5, 0.3, 0.0, 0.0]])
    cloud, fan = fan_of(placed(seen_faces(size, rng), moved[0]))
    fits = []
    for poses in (np.zeros((1, 4)), moved):
        fit = np.zeros(1)
        _kernels.count_fits(cloud, fan, np.zeros(1, int), poses, shapes.halves, shapes.arrays, fit)
        fits.append(fit[0])
    assert fits[0] < 0.6 * fits[1]
    assert 100 < fits[1] <= 400


def rays_of(points, pose, half):
    """Rays from a LiDAR 1.5 m above the origin that end in a box, go through it, end before it."""
    from autolabel.points import _ray_kernels

    cloud, fan = fan_of(points, np.array([0.0, 0, 1.5, 0.0]))
    return _ray_kernels.count_rays(cloud, fan, pose, half, NO_RIVALS, np.empty((0, 4)), np.empty((0, 3)))


@pytest.mark.parametrize("turn_rad", [0.0, 1.0, 2.5, np.pi, -1.6])
def test_rays_end_in_a_box_go_through_it_or_stop_before(turn_rad) -> None:
    pose, half = np.array([10.0, 0, 1.0, 0.3]), np.array([2.0, 1.0, 1.0])
    ended = np.array([[9.5, 0.1, 1.2], [10, 0, 1.0]])
    through = np.array([[30.0, 0.2, -1.5], [25, -0.5, -0.5], [60, 1.0, -4.0]])
    over_the_bonnet = np.array([[30.0, 0.2, 0.8], [60, 1.0, 1.0]])
    before = np.array([[5.0, 0, 1.2]])
    neither = np.array([[30, 30, 1.0], [-30, 0, 1.0], [30, 0, 9.0], [30, 0, 5.0]])
    points = np.vstack([ended, through, over_the_bonnet, before, neither])
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    turned = points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    place = np.array([c * pose[0], s * pose[0], pose[2], pose[3] + turn_rad])
    assert rays_of(turned, place, half) == (2, 3, 1)


@pytest.mark.parametrize(
    ("eye", "speed_mps", "far_m"),
    [(EYE, 0.0, 0.0), (EYE, 1.0, 0.05), (EYE, 8.0, 0.4), (np.array([2.7, 0.2, 1.6, 0.3]), 0.0, 0.0)],
)
@pytest.mark.parametrize("count", [600, 9000])
def test_one_look_gathers_describes_and_counts_as_each_alone(eye, speed_mps, far_m, count) -> None:
    from autolabel.points import _gather_kernels, _own_kernels, _ray_kernels, _shape_kernels

    rng, pose = np.random.default_rng(count), np.array([[0.3, -0.2, 0.1, 0.4]])
    cloud, (starts, _, eye) = fan_of(rng.uniform(-4, 4, (count, 3)) * [1, 1, 0.4], eye)
    fan, move = (starts, rng.uniform(0, 0.1, 180), eye), np.array([[speed_mps, 0.0, 0.05, far_m]])
    surface, size = PointsConfig().of(Kind.CAR), np.array([[4.5, 1.9, 1.6]])
    together, apart = Shapes.of_boxes(size, [surface]), Shapes.of_boxes(size, [surface])
    half, grid = size[0] / 2, (apart.dims[0], apart.lows[0], float(apart.cells_m[0]))
    near, counts, crossed = np.empty((1, 400, 3)), np.zeros((1, 2), int), np.zeros((1, 2))
    _own_kernels.look(
        cloud, fan, 0, pose, move, half, (0.5, 0.1), np.ones(1), (False, True), near, counts, crossed, grid,
        together.sums,
    )  # fmt: skip

    def alone(side_m, up_m):
        found, nobody, sizes = np.empty((400, 3)), np.empty((0, 4)), np.empty((0, 3))
        kept, many = _gather_kernels.gather(
            cloud, fan, pose[0], move[0], half, side_m, up_m, NO_RIVALS, 0.0, nobody, sizes, found
        )
        return found[:kept], many

    found, many = alone(0.5, 0.3)
    assert counts.tolist() == [[many, len(found)]] and many > 50
    assert np.array_equal(sorted(near[0, : len(found)].tolist()), sorted(found.tolist()))
    inner, _ = alone(0.1, 0.1)
    _shape_kernels.add_points(inner, len(inner), pose[0], half, 0.1, 1.0, apart.sums, *grid)
    assert np.array_equal(together.sums, apart.sums)
    nobody, sizes = np.empty((0, 4)), np.empty((0, 3))
    rays = _ray_kernels.count_rays(cloud, fan, pose[0], half, NO_RIVALS, nobody, sizes)[:2]
    assert crossed.tolist() == [list(rays)] and min(rays) > 0


def test_rays_of_a_lidar_in_the_box_count_for_nothing() -> None:
    from autolabel.points import _own_kernels

    rng, pose = np.random.default_rng(0), np.zeros((1, 4))
    cloud, fan = fan_of(rng.uniform(-4, 4, (500, 3)), np.array([0.5, 0.2, 1.6, 0.0]))
    surface, size = PointsConfig().of(Kind.CAR), np.array([[4.5, 1.9, 1.6]])
    shapes, crossed = Shapes.of_boxes(size, [surface]), np.zeros((1, 2))
    _own_kernels.look(
        cloud, fan, 0, pose, np.zeros((1, 4)), size[0] / 2, (0.5, 0.1), np.zeros(1), (False, True),
        np.empty((1, 400, 3)), np.zeros((1, 2), int), crossed,
        (shapes.dims[0], shapes.lows[0], float(shapes.cells_m[0])), shapes.sums,
    )  # fmt: skip
    assert not crossed.any()


def test_a_surface_says_where_it_is_and_not_where_on_it_the_points_are() -> None:
    """A bare side fixes an object across it; along it only the ends of the side could."""
    from autolabel.points import _kernels, _shape_kernels

    rng, size = np.random.default_rng(0), np.array([8.0, 2.0, 2.0])
    side = np.column_stack([rng.uniform(-3, 3, 600), np.full(600, -0.95), rng.uniform(-0.8, 0.8, 600)])
    side += rng.normal(0, 0.01, side.shape)
    shapes = Shapes.of_boxes(size[None], [PointsConfig().of(Kind.CAR)])
    _shape_kernels.add_points(
        side, 600, np.zeros(4), size / 2, 0.1, 1.0,
        shapes.sums, shapes.dims[0], shapes.lows[0], shapes.cells_m[0],
    )  # fmt: skip
    shapes.finish(np.zeros(1, int))
    hessian, pose = np.zeros((4, 4)), np.zeros(4)
    middle = side[np.abs(side[:, 0]) < 2][:200]
    eye = np.array([0.0, -15.0, 1.8, 0.0])
    _kernels.align(
        middle, len(middle), pose, size / 2, eye, _kernels.pick(shapes.arrays, 0), 12, 100.0, 1.0, hessian
    )
    assert abs(pose[1]) < 0.02
    assert hessian[0, 0] < 0.1 * hessian[1, 1]


def test_the_nearest_filled_cell_speaks_for_an_empty_one() -> None:
    from autolabel.points import _shape_kernels

    rng, dims = np.random.default_rng(0), np.array([9, 8, 7])
    filled = np.flatnonzero(rng.random(dims.prod()) < 0.02)
    nearest = np.full(dims.prod(), -1, np.int32)
    nearest[filled] = filled
    _shape_kernels.spread(nearest, dims, 2)
    places = np.stack(np.unravel_index(np.arange(dims.prod()), dims), axis=-1)
    steps = np.abs(places[:, None] - places[None, filled]).sum(axis=2)
    assert ((nearest >= 0) == (steps.min(axis=1) <= 2)).all()
    told = np.flatnonzero(nearest >= 0)
    away = np.linalg.norm(places[told] - places[nearest[told]], axis=1)
    best = np.linalg.norm(places[told][:, None] - places[None, filled], axis=2).min(axis=1)
    assert (away == best).mean() > 0.95


def test_what_rolls_is_expected_along_its_bend() -> None:
    states, which = States.of([PointsConfig().of(Kind.CAR)]), np.zeros(1, int)
    states.start(which, np.zeros((1, 3)), np.array([[10.0, 0.0]]), np.ones(1))
    states.means[0, 5] = 0.5
    for _ in range(10):
        states.predict(which, np.array([0.1]))
    assert states.means[0, 1] > 1.0
    assert states.means[0, 2] == pytest.approx(np.arctan2(states.means[0, 4], states.means[0, 3]), abs=1e-6)


def test_a_person_is_expected_straight_ahead_and_a_pose_corrects_that() -> None:
    states, which = States.of([WALKER]), np.zeros(1, int)
    states.start(which, np.zeros((1, 3)), np.array([[1.0, 0.5]]), np.ones(1))
    states.predict(which, np.array([-0.2]))
    assert states.means[0, :2] == pytest.approx([-0.2, -0.1])
    before = states.spreads(which).copy()
    states.update(which, np.array([[-0.1, -0.1, 0.0]]), np.eye(3)[None] * 0.01)
    assert -0.2 < states.means[0, 0] < -0.1
    assert (states.spreads(which) < before).all()


def leaver(way_m, inside=100.0, seed=0):
    """One car that was found all along a way, known in one frame of it."""
    count = len(way_m)
    sights = Sights.empty(1, count)
    sights.poses[0] = np.column_stack([way_m, np.zeros((count, 3))])
    sights.fits[0, :, 1] = sights.fits[0, :, 3] = sights.fits[0, :, 4] = inside
    sights.found[0] = True
    seeds = Seeds((Kind.CAR,), np.array([seed]), sights.poses[:1, seed], np.array([[4.5, 1.9, 1.5]]))
    return seeds, sights


STANDS_THEN_LEAVES = np.concatenate([np.zeros(10), 0.5 * 1.5 * (0.1 * np.arange(20)) ** 2])


def test_what_leaves_without_a_jerk_leaves() -> None:
    """A car that starts at a light hides its first place by itself when it comes nearer."""
    seeds, sights = leaver(STANDS_THEN_LEAVES)
    assert _leaving(seeds, sights, sights.poses[:, :, 0] > 1.0).tolist() == [True]
    seeds, sights = leaver(STANDS_THEN_LEAVES[::-1], seed=29)
    assert _leaving(seeds, sights, sights.poses[:, :, 0] > 1.0).tolist() == [True]


@pytest.mark.parametrize(("jump_m", "inside"), [(0.8, 100.0), (0.0, 10.0)])
def test_what_jumps_or_is_hardly_seen_may_be_another(jump_m, inside) -> None:
    seeds, sights = leaver(STANDS_THEN_LEAVES + jump_m * (np.arange(30) > 15), inside)
    assert _leaving(seeds, sights, sights.poses[:, :, 0] > 1.0).tolist() == [False]
