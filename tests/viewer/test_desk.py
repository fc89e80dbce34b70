"""The desk without a window: what the pointer and the keys do to labels."""

from collections.abc import Callable

import numpy as np
import pytest

from fusion.boxes import Boxes
from fusion.labels import Annotation, Source
from fusion.overlap import iou_3d, points_in_box
from viewer.actions import ACTIONS, by_id, conflicts
from viewer.desk import Desk
from viewer.display import Ground
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Flat, Orbit, Side, Size, to_pixels

DO = by_id()


def near_car(desk: Desk, least: int = 60) -> str:
    """A car near by with points on it."""
    for track, annotation in desk.session.present():
        inside = points_in_box(desk.cloud.points, annotation.box).sum()
        if track.category == "car" and inside >= least and np.linalg.norm(annotation.box.center) < 40:
            return track.id
    raise AssertionError("the drive has no such car")


def same(one: Annotation, other: Annotation) -> bool:
    """Whether two annotations are alike to the last digits."""
    alike = np.allclose(one.box.corners(), other.box.corners(), rtol=0, atol=1e-9)
    return alike and (one.source, one.locked, one.timestamp_ns) == (
        other.source,
        other.locked,
        other.timestamp_ns,
    )


def from_above(desk: Desk, half_m: float = 12.0) -> None:
    """Looks straight down on the selected box in the main pane."""
    box = desk.session.annotation.box
    x, y, z = box.center
    desk.look(MAIN, Orbit((x, y, z), 2.2 * half_m, 0.0, np.radians(89.9)))


def on_screen(desk: Desk, pane: str, place) -> tuple[float, float]:
    (found,), _ = to_pixels(desk.panes.view(pane), desk.panes.size(pane), np.asarray(place)[None])
    return float(found[0]), float(found[1])


def test_a_click_selects_the_box_under_it_and_a_click_beside_lets_go(desk: Desk) -> None:
    car = near_car(desk)
    desk.session.select(car)
    from_above(desk)
    middle = on_screen(desk, MAIN, desk.session.annotation.box.center)
    desk.session.select(None)
    for deed in (Deed.PRESS, Deed.RELEASE):
        desk.on_pointer(MAIN, Pointer(deed, middle, Button.LEFT))
    assert desk.session.selected == car
    desk.look(MAIN, Orbit((0.0, 0.0, 500.0), 10.0, 0.0, -1.5))
    for deed in (Deed.PRESS, Deed.RELEASE):
        desk.on_pointer(MAIN, Pointer(deed, (200.0, 150.0), Button.LEFT))
    assert desk.session.selected is None


def test_a_drag_in_the_main_pane_turns_the_view_and_selects_nothing(desk: Desk, drag: Callable) -> None:
    before = desk.panes.orbit
    drag(desk, MAIN, (100, 100), (160, 130))
    assert desk.panes.orbit != before
    assert desk.panes.orbit.target == before.target
    assert desk.session.selected is None
    drag(desk, MAIN, (100, 100), (160, 130), Button.RIGHT)
    assert desk.panes.orbit.target != before.target


@pytest.mark.parametrize("side", Side)
def test_a_box_is_dragged_in_every_flat_view(desk: Desk, drag: Callable, side: Side) -> None:
    desk.session.select(near_car(desk))
    before = desk.session.annotation.box
    view = desk.panes.view(side)
    assert isinstance(view, Flat)
    drag(desk, side, (200, 150), (200 + 0.4 / view.m_per_px, 150 - 0.2 / view.m_per_px))
    after = desk.session.annotation
    box_from_ego = before.ego_from_box.inverse()
    moved = view.view_from_box.rotation @ (box_from_ego @ after.box.center)
    np.testing.assert_allclose(moved, [0.4, 0.2, 0.0], atol=1e-9)
    np.testing.assert_allclose(after.box.size_lwh_m, before.size_lwh_m)
    assert after.source is Source.HUMAN
    assert desk.session.store.history()[-1].title == "Move the box"


def test_an_edge_is_dragged_and_the_other_edge_stays(desk: Desk, drag: Callable) -> None:
    desk.session.select(near_car(desk))
    before, view = desk.session.annotation.box, desk.panes.view(Side.TOP)
    edge = on_screen(desk, Side.TOP, before.ego_from_box @ np.array([before.length_m / 2, 0.3, 0.0]))
    drag(desk, Side.TOP, edge, (edge[0], edge[1] - 0.5 / view.m_per_px))
    after = desk.session.annotation.box
    assert after.length_m == pytest.approx(before.length_m + 0.5)
    rear = np.array([-1.0, 0, 0])
    np.testing.assert_allclose(
        after.ego_from_box @ (rear * after.length_m / 2), before.ego_from_box @ (rear * before.length_m / 2)
    )


def test_a_drag_is_one_step_of_the_history_and_undone_whole(desk: Desk, drag: Callable) -> None:
    desk.session.select(near_car(desk))
    before = desk.session.annotation
    drag(desk, Side.TOP, (200, 150), (230, 120))
    assert len(desk.session.store.history()) == 1
    DO["edit.undo"].run(desk)
    assert same(desk.session.annotation, before)
    DO["edit.redo"].run(desk)
    assert not same(desk.session.annotation, before)
    DO["edit.redo"].run(desk)


def test_escape_in_the_middle_of_a_drag_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.session.select(near_car(desk))
    before = desk.session.annotation
    desk.on_pointer(Side.TOP, Pointer(Deed.PRESS, (200, 150), Button.LEFT))
    desk.on_pointer(Side.TOP, Pointer(Deed.MOVE, (260, 190)))
    assert not same(desk.session.annotation, before)
    DO["object.none"].run(desk)
    assert same(desk.session.annotation, before)
    assert desk.session.selected is not None
    assert desk.session.store.history() == []
    DO["object.none"].run(desk)
    assert desk.session.selected is None


def test_one_drag_around_a_car_makes_its_box(desk: Desk, drag: Callable) -> None:
    car = near_car(desk, 150)
    desk.session.select(car)
    true = desk.session.annotation.box
    from_above(desk)
    half = np.array([true.length_m / 2, 0, 0])
    tail, front = (on_screen(desk, MAIN, true.ego_from_box @ end) for end in (-half, half))
    desk.session.remove_track()
    assert desk.session.selected is None
    desk.category = "car"
    drag(desk, MAIN, (tail[0] + 4, tail[1] + 4), (front[0] - 4, front[1] + 4), held=Held.CTRL)
    made = desk.session.annotation
    assert desk.session.track.category == "car"
    assert desk.session.selected != car
    assert iou_3d(Boxes.stack([made.box]), Boxes.stack([true]))[0, 0] > 0.7
    assert np.cos(made.box.yaw_rad - true.yaw_rad) > 0.99


def test_keys_move_turn_and_flip_the_box(desk: Desk) -> None:
    desk.session.select(near_car(desk))
    before = desk.session.annotation.box
    DO["box.ahead"].run(desk)
    DO["box.left"].run(desk)
    box_from_ego = before.ego_from_box.inverse()
    np.testing.assert_allclose(
        box_from_ego @ desk.session.annotation.box.center, [0.05, 0.05, 0.0], atol=1e-12
    )
    DO["box.flip"].run(desk)
    turn = desk.session.annotation.box.yaw_rad - before.yaw_rad
    assert np.cos(turn) == pytest.approx(-1.0)
    DO["box.longer"].run(desk)
    assert desk.session.annotation.box.length_m == pytest.approx(before.length_m + 0.05)


def test_without_a_selection_the_same_keys_walk(desk: Desk) -> None:
    before = desk.panes.orbit.target
    DO["box.ahead"].run(desk)
    assert desk.panes.orbit.target != before
    assert desk.session.store.history() == []


def test_confirming_locks_and_automation_stays_away(desk: Desk) -> None:
    from fusion.edits import RemoveTrack

    desk.session.select(near_car(desk))
    DO["object.confirm"].run(desk)
    kept = desk.session.annotation
    assert kept.locked
    desk.session.store.apply(RemoveTrack(desk.session.selected), automatic=True)
    assert desk.session.store.labels.tracks[desk.session.selected].annotations[kept.timestamp_ns] == kept


def test_a_class_key_changes_the_object_and_the_next_one(desk: Desk) -> None:
    desk.session.select(near_car(desk))
    DO["class.2"].run(desk)
    assert desk.session.track.category == desk.schema.categories[1].name == desk.category
    DO["class.9"].run(desk)


def test_work_goes_on_where_it_was_left(make_desk: Callable[[], Desk]) -> None:
    first = make_desk()
    first.session.select(near_car(first))
    DO["box.flip"].run(first)
    edited = first.session.annotation
    first.session.store.close()
    second = make_desk()
    second.session.select(first.session.selected)
    assert same(second.session.annotation, edited)
    DO["edit.undo"].run(second)
    assert not same(second.session.annotation, edited)


def test_going_through_frames_and_objects(desk: Desk) -> None:
    DO["frame.next"].run(desk)
    assert desk.session.frame == 1
    DO["frame.last"].run(desk)
    assert desk.session.frame == len(desk.session.log) - 1
    DO["frame.next"].run(desk)
    DO["frame.first"].run(desk)
    DO["frame.previous"].run(desk)
    assert desk.session.frame == 0
    seen = []
    for _ in range(3):
        DO["object.next"].run(desk)
        seen.append(float(np.linalg.norm(desk.session.annotation.box.center)))
    assert seen == sorted(seen)
    DO["object.previous"].run(desk)
    assert float(np.linalg.norm(desk.session.annotation.box.center)) == seen[1]


def test_hidden_ground_cannot_be_pointed_at(desk: Desk) -> None:
    assert len(desk.visible_points()) == len(desk.cloud.points)
    while desk.display.ground is not Ground.HIDDEN:
        DO["view.ground"].run(desk)
    assert 0 < len(desk.visible_points()) < len(desk.cloud.points)


def test_zooming_in_a_flat_view_stays_while_one_works(desk: Desk, drag: Callable) -> None:
    desk.session.select(near_car(desk))
    before = desk.panes.view(Side.TOP).m_per_px
    desk.on_pointer(Side.TOP, Pointer(Deed.WHEEL, (100, 100), steps=3))
    zoomed = desk.panes.view(Side.TOP).m_per_px
    assert zoomed < before
    drag(desk, Side.TOP, (200, 150), (210, 150))
    assert desk.panes.view(Side.TOP).m_per_px == zoomed


def test_a_flat_view_has_nothing_to_show_without_a_selection(desk: Desk) -> None:
    assert desk.panes.view(Side.TOP) is None
    desk.on_pointer(Side.TOP, Pointer(Deed.PRESS, (10, 10), Button.LEFT))
    desk.panes.resize(Side.TOP, Size(100, 100))


def test_no_key_means_two_things() -> None:
    assert conflicts(ACTIONS) == {}
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_a_box_is_copied_to_another_frame_and_the_track_begins_and_ends_there(desk: Desk) -> None:
    desk.session.select(near_car(desk))
    DO["object.copy"].run(desk)
    given = desk.session.annotation.box
    DO["frame.next"].run(desk)
    DO["object.paste"].run(desk)
    log, times_ns = desk.session.log, desk.session.log.timestamps_ns
    there, here = (log.trajectory.at(int(t)) for t in times_ns[:2])
    np.testing.assert_allclose(
        here @ desk.session.annotation.box.corners(), there @ given.corners(), atol=1e-9
    )
    DO["track.begin"].run(desk)
    DO["track.end"].run(desk)
    assert list(desk.session.track.annotations) == [desk.session.time_ns]


def test_what_stands_still_takes_one_key(desk: Desk) -> None:
    desk.session.select(near_car(desk))
    DO["track.still"].run(desk)
    log, world = desk.session.log, []
    for t, annotation in desk.session.track.annotations.items():
        world.append(log.trajectory.at(t) @ annotation.box.corners())
    np.testing.assert_allclose(np.ptp(world, axis=0), 0, atol=1e-9)
    assert len(desk.session.store.history()) == 1


def test_a_track_is_cut_in_two_and_joined_again(desk: Desk) -> None:
    car = near_car(desk)
    desk.session.select(car)
    before = desk.session.track
    known = set(desk.session.labels.tracks)
    DO["frame.next"].run(desk)
    DO["track.split"].run(desk)
    assert list(desk.session.track.annotations) == [int(desk.session.log.timestamps_ns[0])]
    (desk.hovered,) = set(desk.session.labels.tracks) - known
    DO["track.merge"].run(desk)
    assert list(desk.session.track.annotations) == list(before.annotations)
