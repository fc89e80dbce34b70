"""One object over many frames, edited in place."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.labels import Source
from fusion.overlap import points_in_box
from viewer.actions import by_id
from viewer.background import Background
from viewer.desk import Desk
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Flat, Side, Size
from viewer.strip.crop_picture import PAPER, crop_picture
from viewer.strip.crops import MOST_POINTS, ROOM_M, Crop, CropWish, Cutter, LookWish
from viewer.strip.strip import FEWEST, MOST, Show
from viewer.strip.tiles import Tiles

DO = by_id()


@pytest.fixture
def car(desk: Desk) -> Iterator[Desk]:
    """A desk with a car selected that has points in all frames, and a strip one looks at."""
    there = [(t, a) for t, a in desk.session.present() if t.category == "car" and len(t.annotations) == 5]
    best = max(there, key=lambda pair: points_in_box(desk.cloud.points, pair[1].box).sum())
    desk.session.select(best[0].id)
    desk.strip.place, desk.strip.in_sight = Size(1000, 160), True
    yield desk
    desk.strip.close()


def drag(desk: Desk, start: tuple[float, float], way: tuple[float, float], done: bool = True) -> None:
    end = (start[0] + way[0], start[1] + way[1])
    desk.strip.on_pointer(Pointer(Deed.PRESS, start, Button.LEFT))
    desk.strip.on_pointer(Pointer(Deed.MOVE, (start[0] + way[0] / 2, start[1] + way[1] / 2)))
    desk.strip.on_pointer(Pointer(Deed.MOVE, end))
    if done:
        desk.strip.on_pointer(Pointer(Deed.RELEASE, end, Button.LEFT))


def middle(desk: Desk, number: int) -> tuple[float, float]:
    tile = desk.strip.tiles()[number]
    return tile.corner_px[0] + tile.size.width_px / 2, tile.corner_px[1] + tile.size.height_px / 2


def test_a_drag_in_a_crop_moves_the_box_of_that_frame_alone(car: Desk) -> None:
    session, tile = car.session, car.strip.tiles()[3]
    before = session.track.annotations
    drag(car, middle(car, 3), (0.3 / tile.view.m_per_px, -0.5 / tile.view.m_per_px))
    after = session.track.annotations
    assert [t for t in after if after[t].box is not before[t].box] == [tile.annotation.timestamp_ns]
    moved = after[tile.annotation.timestamp_ns]
    box_from_ego = tile.annotation.box.ego_from_box.inverse()
    np.testing.assert_allclose(box_from_ego @ moved.box.center, [0.5, -0.3, 0.0], atol=1e-9)
    assert moved.source is Source.HUMAN
    assert session.frame == 0
    assert [step.title for step in session.store.history()] == ["Move the box"]


def test_an_edge_sizes_and_the_knob_turns(car: Desk) -> None:
    tile, (x, y) = car.strip.tiles()[2], middle(car, 2)
    box, scale = tile.annotation.box, tile.view.m_per_px
    drag(car, (x, y + box.length_m / 2 / scale), (0, 0.4 / scale))
    longer = car.session.track.annotations[tile.annotation.timestamp_ns].box
    assert longer.length_m == pytest.approx(box.length_m + 0.4)
    tile = car.strip.tiles()[2]
    knob = (x, y - (longer.length_m / 2 + 0.8) / scale)
    drag(car, knob, (-1.0 / scale, 0.0))
    turned = car.session.track.annotations[tile.annotation.timestamp_ns].box
    box_from_ego = longer.ego_from_box.inverse()
    box_from_turned = box_from_ego @ turned.ego_from_box
    assert box_from_turned.yaw_rad == pytest.approx(np.arctan(1.0 / (longer.length_m / 2 + 0.8)))


def test_what_is_being_dragged_is_shown_and_let_go_with_escape(car: Desk) -> None:
    before = car.session.track
    drag(car, middle(car, 1), (8, 0), done=False)
    tiles = car.strip.tiles()
    assert (
        tiles[1].annotation.box.center[0]
        != before.annotations[tiles[1].annotation.timestamp_ns].box.center[0]
    )
    assert car.busy
    DO["object.none"].run(car)
    assert not car.busy
    assert car.session.track is before
    assert car.session.selected is not None
    assert car.session.store.history() == []


def test_a_click_goes_to_the_frame_and_beyond_the_last_crop_nowhere(car: Desk) -> None:
    for deed in (Deed.PRESS, Deed.RELEASE):
        car.strip.on_pointer(Pointer(deed, middle(car, 4), Button.LEFT))
    assert car.session.frame == 4
    assert car.session.store.history() == []
    for deed in (Deed.PRESS, Deed.RELEASE):
        car.strip.on_pointer(Pointer(deed, (999, 159), Button.LEFT))
    assert car.session.frame == 4


def test_the_wheel_scrolls_and_the_frame_that_is_shown_stays_in_sight(car: Desk) -> None:
    car.strip.count = 2
    assert [tile.frame for tile in car.strip.tiles()] == [0, 1]
    car.strip.on_pointer(Pointer(Deed.WHEEL, (10, 10), steps=-1))
    assert [tile.frame for tile in car.strip.tiles()] == [3, 4]
    car.session.go_to(1)
    assert 1 in [tile.frame for tile in car.strip.tiles()]
    for steps, ends in ((50, FEWEST), (-50, MOST)):
        car.strip.on_pointer(Pointer(Deed.WHEEL, (10, 10), held=Held.CTRL, steps=steps))
        assert car.strip.count == ends


def test_all_boxes_in_sight_are_confirmed_in_one_step(car: Desk) -> None:
    DO["strip.confirm"].run(car)
    assert all(a.locked for a in car.session.track.annotations.values())
    assert len(car.session.store.history()) == 1
    DO["strip.confirm"].run(car)
    assert len(car.session.store.history()) == 1
    car.session.undo()
    car.strip.in_sight = False
    DO["strip.confirm"].run(car)
    assert not any(a.locked for a in car.session.track.annotations.values())


def test_the_key_brings_the_strip_into_sight_before_it_turns_it(car: Desk) -> None:
    revealed: list[bool] = []
    car.strip.reveal, car.strip.in_sight = lambda: revealed.append(True), False
    DO["strip.show"].run(car)
    assert (revealed, car.strip.show) == ([True], Show.TOP)
    car.strip.in_sight = True
    seen = []
    for _ in Show:
        DO["strip.show"].run(car)
        seen.append(car.strip.show)
        assert len(car.strip.tiles()) == 5
    assert set(seen) == set(Show)


def test_points_arrive_in_the_background_and_are_those_around_the_box(car: Desk) -> None:
    arrived = threading.Event()
    car.strip.crops.arrived = lambda: arrived.set() if not car.strip.crops.busy else None
    tiles = car.strip.tiles()
    assert arrived.wait(30)
    box = tiles[0].annotation.box
    crop = car.strip.crops.get((car.session.selected, 0))
    reach_m = np.linalg.norm(box.size_lwh_m) / 2 + ROOM_M
    around = car.cloud.points[np.linalg.norm(car.cloud.points - box.center, axis=1) < reach_m]
    assert 1000 < len(crop.points) <= MOST_POINTS < len(around)
    assert set(map(tuple, crop.points.tolist())) <= set(map(tuple, around.tolist()))
    share, true_share = (points_in_box(points, box).mean() for points in (crop.points, around))
    assert share == pytest.approx(true_share, abs=0.02)


def test_a_camera_shows_the_object_where_its_outline_is(car: Desk) -> None:
    track, log = car.session.track, car.session.log
    wish = LookWish(car.session.time_ns, track, (car.session.annotation,))
    look = Cutter(log).look(wish)
    assert look is not None
    assert look.camera in log.rig.cameras
    height, width = look.pixels.shape[:2]
    places = np.concatenate(look.lines)
    assert ((places > [-2, -2]) & (places < [width + 2, height + 2])).mean() > 0.9
    assert np.ptp(places[:, 0]) > width / 4
    assert wish.serves(wish)
    assert not wish.serves(LookWish(wish.time_ns, track, ()))


def test_a_crop_serves_as_long_as_the_box_stays_near() -> None:
    def at(x: float, length_m: float = 4.0) -> CropWish:
        return CropWish(0, Box3D.upright((x, 0, 0), (length_m, 2, 1.5), 0.0))

    assert at(0).serves(at(1.0))
    assert not at(0).serves(at(2.0))
    assert not at(0).serves(at(0, 12.0))


def test_a_picture_shows_points_where_they_are() -> None:
    box = Box3D(SE3.identity(), 4.0, 2.0, 1.5)
    crop = Crop(np.array([[1.5, 0.5, 0.0], [0, 0, 9.0]], np.float32), np.zeros(2, np.bool_))
    picture = crop_picture(crop, Flat(Side.TOP, box.ego_from_box, 0.1), Size(60, 100), box, dot_px=1)
    lit = np.argwhere((picture != PAPER).any(axis=2))
    # Ahead is up and left is left; the point high above the box is not shown.
    np.testing.assert_array_equal(lit, [[35, 25]])


def test_tiles_are_as_large_as_they_can_be() -> None:
    assert Tiles.filling(Size(1500, 190), 20, 3.5, 7.5).rows == 1
    wide = Tiles.filling(Size(1500, 190), 20, 6.0, 3.0)
    assert (wide.columns, wide.rows) == (10, 2)
    for number in range(20):
        x, y = wide.corner(number)
        assert wide.at((x + 1, y + 1)) == number
    assert wide.at((1600, 5)) is None


def test_only_so_many_things_are_kept_and_what_is_no_longer_wanted_is_not_made() -> None:
    gate, made = threading.Event(), []

    def make(wish: int) -> int | None:
        gate.wait(10)
        made.append(wish)
        if wish == 7:
            raise OSError("gone")
        return wish * 10

    shelf: Background[int, int, int] = Background(make, lambda a, b: a == b, most=3)
    shelf.want({k: k for k in range(50)})
    shelf.want({k: k for k in (5, 6, 7, 8)})
    gate.set()
    wait_for(lambda: not shelf.busy)
    assert set(made) <= {0, 5, 6, 7, 8}
    assert [shelf.get(k) for k in (6, 7, 8)] == [60, None, 80]
    assert shelf.get(5) is None
    shelf.want({8: 9})
    wait_for(lambda: not shelf.busy)
    assert shelf.get(8) == 90
    shelf.close()


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)
