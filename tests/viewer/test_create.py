"""New boxes from one drag, and what is known of their size."""

from collections.abc import Callable

import numpy as np
import pytest

from fusion.boxes import Box3D
from fusion.overlap import points_in_box
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Orbit, to_pixels
from viewer.schema import Category, Schema
from viewer.tracks.sizes import usual_in, usual_of_selected

DO = by_id()
MORE_LWH_M = np.array([0.6, 0.15, 0.2])


def car_in_sight(desk: Desk) -> Box3D:
    """The car with most points, which is removed; the view is on its place from above."""
    there = [(t, a.box) for t, a in desk.session.present() if t.category == "car"]
    track, box = max(there, key=lambda pair: points_in_box(desk.cloud.points, pair[1]).sum())
    desk.session.select(track.id)
    desk.session.remove_track()
    x, y, z = box.center
    desk.look(MAIN, Orbit((x, y, z), 26.0, 0.3, np.radians(89.9)))
    desk.category = "car"
    return box


def on_screen(desk: Desk, *places: np.ndarray) -> list[tuple[float, float]]:
    found = to_pixels(desk.panes.orbit, desk.panes.size(MAIN), np.array(places))[0]
    return [(float(u), float(v)) for u, v in found]


def ends(desk: Desk, box: Box3D) -> list[tuple[float, float]]:
    half = np.array([box.length_m / 2, 0, 0])
    return on_screen(desk, box.ego_from_box @ -half, box.ego_from_box @ half)


def test_the_box_is_shown_while_it_is_drawn_and_written_once_it_is_done(desk: Desk) -> None:
    tail, front = ends(desk, car_in_sight(desk))
    before, steps = set(desk.session.store.labels.tracks), len(desk.session.store.history())
    desk.on_pointer(MAIN, Pointer(Deed.PRESS, tail, Button.LEFT, Held.CTRL))
    desk.on_pointer(MAIN, Pointer(Deed.MOVE, front, held=Held.CTRL))
    (shown,) = set(desk.session.labels.tracks) - before
    preview = desk.session.labels.tracks[shown].annotations[desk.session.time_ns].box
    assert desk.arrow == (MAIN, tail, front)
    assert set(desk.session.store.labels.tracks) == before
    desk.on_pointer(MAIN, Pointer(Deed.RELEASE, front, Button.LEFT, Held.CTRL))
    assert desk.arrow is None
    assert desk.session.selected == shown
    np.testing.assert_array_equal(desk.session.annotation.box.corners(), preview.corners())
    assert len(desk.session.store.history()) == steps + 1


def test_escape_while_drawing_leaves_nothing(desk: Desk) -> None:
    tail, front = ends(desk, car_in_sight(desk))
    before = desk.session.store.labels
    desk.on_pointer(MAIN, Pointer(Deed.PRESS, tail, Button.LEFT, Held.CTRL))
    desk.on_pointer(MAIN, Pointer(Deed.MOVE, front, held=Held.CTRL))
    DO["object.none"].run(desk)
    desk.on_pointer(MAIN, Pointer(Deed.RELEASE, front, Button.LEFT, Held.CTRL))
    assert desk.session.labels is before
    assert desk.arrow is None


def test_with_shift_the_box_is_as_it_was_drawn(desk: Desk, drag: Callable[..., None]) -> None:
    true = car_in_sight(desk)
    tail, front = ends(desk, true)
    drag(desk, MAIN, tail, front, held=Held.CTRL | Held.SHIFT)
    made = desk.session.annotation.box
    assert made.length_m == pytest.approx(true.length_m, abs=0.35)
    assert abs(np.sin(made.yaw_rad - true.yaw_rad)) < np.sin(np.radians(6))
    assert made.center[2] - made.height_m / 2 == pytest.approx(true.center[2] - true.height_m / 2, abs=0.2)


def test_a_drag_the_other_way_turns_the_front(desk: Desk, drag: Callable[..., None]) -> None:
    true = car_in_sight(desk)
    tail, front = ends(desk, true)
    drag(desk, MAIN, front, tail, held=Held.CTRL)
    assert np.cos(desk.session.annotation.box.yaw_rad - true.yaw_rad) < -0.98


def test_a_click_draws_nothing(desk: Desk, drag: Callable[..., None]) -> None:
    tail, _ = ends(desk, car_in_sight(desk))
    before = desk.session.store.labels
    drag(desk, MAIN, tail, (tail[0] + 1, tail[1]), held=Held.CTRL)
    assert desk.session.labels is before


def test_a_drag_towards_the_horizon_draws_nothing(desk: Desk, drag: Callable[..., None]) -> None:
    before = desk.session.store.labels
    desk.look(MAIN, Orbit((0.0, 0.0, 400.0), 20.0, 0.0, np.radians(-2.0)))
    drag(desk, MAIN, (200, 290), (200, 20), held=Held.CTRL)
    desk.look(MAIN, Orbit((0.0, 0.0, 30.0), 20.0, 0.0, np.radians(10.0)))
    drag(desk, MAIN, (200, 290), (200, 85), held=Held.CTRL)
    assert desk.session.labels is before


def test_where_nothing_was_seen_the_box_is_as_it_was_drawn(desk: Desk, drag: Callable[..., None]) -> None:
    desk.look(MAIN, Orbit((300.0, 300.0, 0.0), 26.0, 0.3, np.radians(89.9)))
    desk.category = "car"
    drag(desk, MAIN, (150, 200), (150, 100), held=Held.CTRL)
    made = desk.session.annotation.box
    assert np.linalg.norm(made.center[:2] - 300.0) < 10
    assert made.width_m == pytest.approx(1.93, abs=0.2)


def test_a_fit_keeps_the_size_that_people_gave_in_other_frames(desk: Desk) -> None:
    true = car_in_sight(desk)
    desk.session.add_track("car", Box3D(true.ego_from_box, *(true.size_lwh_m + MORE_LWH_M)))
    DO["object.copy"].run(desk)
    DO["frame.next"].run(desk)
    desk.cache.wait(1)
    DO["object.paste"].run(desk)
    DO["box.shorter"].run(desk)
    DO["box.fit"].run(desk)
    np.testing.assert_allclose(
        desk.session.annotation.box.size_lwh_m, true.size_lwh_m + MORE_LWH_M, atol=0.08
    )


def test_a_fit_that_keeps_the_size_keeps_it(desk: Desk) -> None:
    true = car_in_sight(desk)
    desk.session.add_track("car", Box3D(true.ego_from_box, 3.3, 2.2, 1.2))
    DO["box.fit_place"].run(desk)
    np.testing.assert_allclose(desk.session.annotation.box.size_lwh_m, [3.3, 2.2, 1.2], atol=2e-3)


def test_the_size_of_a_class_comes_from_its_name_the_schema_and_its_boxes(desk: Desk) -> None:
    session = desk.session
    named = Schema(categories=(Category(name="rover", size_lwh_m=(2.0, 1.5, 1.0)), Category(name="car")))
    assert usual_in(session, named, "unheard of") is None
    np.testing.assert_allclose(usual_in(session, named, "car").size_lwh_m, [4.6, 1.95, 1.65], atol=0.25)
    before = usual_in(session, desk.schema, "bus").size_lwh_m
    for x in (30.0, 50.0, 70.0, 90.0):
        session.add_track("bus", Box3D.upright([x, 0, 1.5], [18.0, 2.5, 3.0], 0.0))
    session.select(None)
    after = usual_in(session, desk.schema, "bus").size_lwh_m
    assert before[0] < after[0] < 18.0
    assert usual_of_selected(session, desk.schema) is None
