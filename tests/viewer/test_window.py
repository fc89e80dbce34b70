"""The window, driven by real mouse and key events."""

import os

import numpy as np
import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from fusion.overlap import points_in_box
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.qt.palette import Palette
from viewer.qt.window import MainWindow
from viewer.scene.views import Orbit, Side, to_pixels

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NOTHING = Qt.KeyboardModifier.NoModifier


def place_of(window: MainWindow, pane: str, place) -> QPoint:
    """Where a place in ego is on the canvas."""
    desk = window.desk
    (found,), _ = to_pixels(desk.panes.view(pane), desk.panes.size(pane), np.asarray(place)[None])
    return (window.canvas.rectangles()[pane].topLeft() + QPointF(*found)).toPoint()


def car_of(desk: Desk) -> str:
    """The car with most points."""
    there = [(t, a) for t, a in desk.session.present() if t.category == "car"]
    return max(there, key=lambda pair: points_in_box(desk.cloud.points, pair[1].box).sum())[0].id


def key(window: MainWindow, what: Qt.Key, held: Qt.KeyboardModifier = NOTHING) -> None:
    QTest.keyClick(window.canvas, what, held)


def drag(window: MainWindow, start: QPoint, end: QPoint, held: Qt.KeyboardModifier = NOTHING) -> None:
    canvas = window.canvas
    QTest.mousePress(canvas, LEFT, held, start)
    for share in (0.25, 0.5, 0.75, 1.0):
        QTest.mouseMove(canvas, start + (end - start) * share, 10)
    QTest.mouseRelease(canvas, LEFT, held, end)


def lit_share(window: MainWindow, pane: str) -> float:
    """Of the pixels of a pane, the share that is not as dark as where nothing is."""
    box = window.canvas.rectangles()[pane].toRect()
    picture = window.canvas.grabFramebuffer().copy(box)
    width, height = picture.width(), picture.height()
    grey = [picture.pixelColor(x, y).lightness() for x in range(0, width, 3) for y in range(0, height, 3)]
    return float((np.array(grey) > 40).mean())


def test_points_are_drawn_and_flat_views_follow_the_selection(window: MainWindow) -> None:
    assert lit_share(window, MAIN) > 0.01
    before = lit_share(window, Side.TOP)
    window.desk.session.select(car_of(window.desk))
    QTest.qWait(50)
    assert lit_share(window, Side.TOP) > before + 0.1


def test_click_drag_key_and_undo_reach_the_file(window: MainWindow) -> None:
    desk = window.desk
    car = car_of(desk)
    box = desk.session.store.labels.tracks[car].annotations[desk.session.time_ns].box
    x, y, z = box.center
    desk.look(MAIN, Orbit((x, y, z), 25.0, 0.0, np.radians(89.9)))
    QTest.mouseClick(window.canvas, LEFT, NOTHING, place_of(window, MAIN, box.center))
    assert desk.session.selected == car
    view = desk.panes.view(Side.TOP)
    middle = place_of(window, Side.TOP, box.center)
    step = QPoint(round(0.5 / view.m_per_px), 0)
    drag(window, middle, middle + step)
    moved = desk.session.annotation.box
    box_from_ego = box.ego_from_box.inverse()
    np.testing.assert_allclose(box_from_ego @ moved.center, [0, -0.5, 0], atol=view.m_per_px)
    key(window, Qt.Key.Key_G)
    assert np.cos(desk.session.annotation.box.yaw_rad - box.yaw_rad) == pytest.approx(-1)
    assert len(desk.session.store.history()) == 2
    for _ in range(2):
        key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_allclose(desk.session.annotation.box.corners(), box.corners(), atol=1e-9)


def test_a_new_box_is_drawn_with_one_drag(window: MainWindow) -> None:
    desk = window.desk
    car = car_of(desk)
    desk.session.select(car)
    true = desk.session.annotation.box
    x, y, z = true.center
    desk.look(MAIN, Orbit((x, y, z), 25.0, 0.0, np.radians(89.9)))
    half = np.array([true.length_m / 2, 0, 0])
    tail, front = (place_of(window, MAIN, true.ego_from_box @ end) for end in (-half, half))
    key(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    count = len(desk.session.store.labels.tracks)
    desk.category = "car"
    drag(window, tail, front, Qt.KeyboardModifier.ControlModifier)
    assert len(desk.session.store.labels.tracks) == count + 1
    made = desk.session.annotation.box
    assert np.linalg.norm((made.center - true.center)[:2]) < 0.6


def test_keys_go_through_frames_and_the_pictures_follow(window: MainWindow) -> None:
    key(window, Qt.Key.Key_4)
    assert window.desk.session.frame == 1
    window.desk.cache.wait(1)
    QTest.qWait(100)
    assert "frame 2 of 5" in window.message.text()
    assert window.desk.frame.number == 1
    key(window, Qt.Key.Key_Home)
    assert window.desk.session.frame == 0


def test_the_wheel_zooms_to_what_is_under_the_mouse(window: MainWindow) -> None:
    desk = window.desk
    before = desk.panes.orbit
    from PyQt6.QtGui import QWheelEvent

    at = QPointF(300, 250)
    event = QWheelEvent(
        at, window.canvas.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, NOTHING,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(window.canvas, event)
    assert desk.panes.orbit.distance_m < before.distance_m


def test_a_click_in_an_image_selects_and_a_double_click_enlarges(window: MainWindow) -> None:
    desk = window.desk
    strip = window.cameras
    QTest.qWait(50)
    panel, outline = next((panel, panel.seen[-1]) for panel in strip.panels.values() if panel.seen)
    at = panel.to_panel(np.concatenate(outline.lines).mean(axis=0))
    QTest.mouseClick(panel, LEFT, NOTHING, at.toPoint())
    assert desk.session.selected is not None
    QTest.mouseDClick(panel, LEFT, NOTHING, at.toPoint())
    assert [other.isVisible() for other in strip.panels.values()].count(True) == 1
    QTest.mouseDClick(panel, LEFT, NOTHING, at.toPoint())
    assert all(other.isVisible() for other in strip.panels.values())


def test_a_click_in_the_timeline_goes_there(window: MainWindow) -> None:
    timeline = window.timeline
    QTest.mouseClick(timeline, LEFT, NOTHING, QPoint(timeline.width() - 13, 20))
    assert window.desk.session.frame == len(window.desk.session.log) - 1


def test_every_action_has_a_menu_entry(window: MainWindow) -> None:
    from viewer.actions import ACTIONS

    assert set(window.actions_by_id) == {action.id for action in ACTIONS}
    assert all(action.shortcuts() for action in window.actions_by_id.values())


def test_all_keys_are_shown_as_long_as_one_is_held(window: MainWindow) -> None:
    QTest.keyPress(window, Qt.Key.Key_F1)
    assert window.sheet.isVisible()
    assert window.sheet.width() > 300
    QTest.keyRelease(window, Qt.Key.Key_F1)
    assert not window.sheet.isVisible()


def test_an_action_is_found_by_its_name(window: MainWindow) -> None:
    palette = Palette(window.actions_by_id.values(), window)
    palette.open()
    QTest.keyClicks(palette.field, "frame last")
    assert palette.found.count() == 1
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.desk.session.frame == len(window.desk.session.log) - 1


def test_points_are_drawn_into_the_images(window: MainWindow) -> None:
    panel = next(iter(window.cameras.panels.values()))
    before = panel.grab().toImage()
    key(window, Qt.Key.Key_P)
    for _ in range(300):
        QTest.qWait(100)
        if panel.grab().toImage() != before:
            break
    assert panel.grab().toImage() != before
    key(window, Qt.Key.Key_P)
    QTest.qWait(100)
    assert panel.grab().toImage() == before
