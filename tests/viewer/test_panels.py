"""The panels beside the canvas, driven by real mouse and key events."""

import os
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget

from calib import SE3
from fusion.checks.config import CheckConfig, RuleConfig
from fusion.checks.rules import RULES
from fusion.edits import Group, PutTrack
from fusion.labels import Source, Track
from fusion.overlap import points_in_box
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.qt.window import MainWindow
from viewer.scene.views import Orbit

LEFT, KEY = Qt.MouseButton.LeftButton, Qt.Key
NOTHING = Qt.KeyboardModifier.NoModifier


def until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        QTest.qWait(20)


def best_car(desk: Desk) -> str:
    there = [(t, a) for t, a in desk.session.present() if t.category == "car" and len(t.annotations) == 5]
    return max(there, key=lambda pair: points_in_box(desk.cloud.points, pair[1].box).sum())[0].id


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(widget, LEFT, NOTHING, start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(widget, start + (end - start) * share, 10)
    QTest.mouseRelease(widget, LEFT, NOTHING, end)


def wheel(widget: QWidget, at: QPointF, steps: int, held: Qt.KeyboardModifier = NOTHING) -> None:
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_strip_shows_the_object_and_is_edited_in_place(window: MainWindow) -> None:
    desk = window.desk
    desk.session.select(best_car(desk))
    QTest.keyClick(window.canvas, KEY.Key_V)
    until(lambda: desk.strip.in_sight and len(desk.strip.tiles()) == 5 and not desk.strip.crops.busy)
    QTest.qWait(50)
    tile = desk.strip.tiles()[2]
    corner, size = QPointF(*tile.corner_px), tile.size
    middle = (corner + QPointF(size.width_px / 2, size.height_px / 2)).toPoint()
    picture = (
        window.strip.grab().toImage().copy(corner.toPoint().x(), 0, int(size.width_px), window.strip.height())
    )
    bright = sum(
        picture.pixelColor(x, y).saturation() > 120
        for x in range(0, picture.width(), 2)
        for y in range(0, picture.height(), 2)
    )
    assert bright > 20
    drag(window.strip, middle, middle + QPoint(6, 0))
    moved = desk.session.track.annotations[tile.annotation.timestamp_ns].box
    box_from_ego = tile.annotation.box.ego_from_box.inverse()
    np.testing.assert_allclose(box_from_ego @ moved.center, [0, -6 * tile.view.m_per_px, 0], atol=1e-6)
    assert desk.session.frame == 0
    QTest.mouseClick(window.strip, LEFT, NOTHING, middle)
    assert desk.session.frame == tile.frame
    QTest.keyClick(window.canvas, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.session.store.undo_title is None


def test_a_click_in_a_row_selects_and_goes_there(window: MainWindow) -> None:
    desk, timeline = window.desk, window.timeline
    timeline.parentWidget().raise_()
    tracks = list(desk.session.labels.tracks.values())
    QTest.qWait(50)
    at = QPoint(round(timeline.x_of(3)), round(timeline._top()) + 24)
    wanted = timeline.row_at(at.y())
    assert wanted is tracks[1]
    QTest.mouseClick(timeline, LEFT, NOTHING, at)
    assert desk.session.selected == wanted.id
    assert desk.session.frame == 3 or int(desk.session.log.timestamps_ns[3]) not in wanted.annotations
    wheel(timeline, QPointF(at), -1)
    assert timeline.row_at(at.y()) is tracks[4]
    assert timeline.row_at(25) is desk.session.track
    QTest.mouseClick(timeline, LEFT, NOTHING, QPoint(round(timeline.x_of(1)), 25))
    assert (desk.session.selected, desk.session.frame) == (wanted.id, 1)
    drag(timeline, QPoint(round(timeline.x_of(1)), 5), QPoint(round(timeline.x_of(4)), 5))
    assert desk.session.frame == 4


def _elsewhere(track: Track, id: str, away_m: float) -> Track:
    """A copy so far to the left of the car: in one place, each would be a duplicate of each."""
    by = SE3.from_yaw(0.0, (0.0, away_m, 0.0))
    moved = [
        replace(one, box=replace(one.box, ego_from_box=by @ one.box.ego_from_box))
        for one in track.annotations.values()
    ]
    return Track.of(id, track.category, moved)


def test_thousands_of_rows_cost_no_more_than_those_in_sight(window: MainWindow) -> None:
    desk, timeline = window.desk, window.timeline
    timeline.parentWidget().raise_()
    tracks = desk.session.labels.tracks
    model = max(tracks.values(), key=lambda track: len(track.annotations))
    copies = tuple(PutTrack(_elsewhere(model, f"copy {k}", 10.0 * (k + 1))) for k in range(2000))
    desk.session.apply(Group(copies, "Many"))
    QTest.qWait(50)
    timeline.grab()
    assert len(timeline._rows._kept) < 60
    assert timeline.bar.maximum() > 1900
    timeline.bar.setValue(1500)
    QTest.mouseClick(timeline, LEFT, NOTHING, QPoint(40, round(timeline._top()) + 5))
    assert desk.session.selected == list(desk.session.labels.tracks)[1500]


def test_a_click_beside_the_boxes_of_an_image_turns_the_3d_view_there(window: MainWindow) -> None:
    desk = window.desk
    panel = window.cameras.panels["cam_front"]
    QTest.qWait(100)
    before = desk.panes.orbit.target
    # The road right before the car.
    there = panel.to_panel(np.array([160.0, 175.0])).toPoint()
    QTest.mouseClick(panel, LEFT, NOTHING, there)
    assert desk.sightline is not None
    assert desk.panes.orbit.target != before
    assert desk.panes.orbit.target[0] > 2
    wheel(panel, QPointF(there), 3)
    assert panel.view.zoom is not None
    QTest.mouseDClick(panel, LEFT, NOTHING, there)
    assert panel.width() > 0.9 * window.cameras.width()
    assert not window.cameras.best.isVisible()
    QTest.mouseDClick(panel, LEFT, NOTHING, there)
    assert window.cameras.best.isVisible()


def test_the_best_view_shows_the_selected_object_large(window: MainWindow) -> None:
    desk, best = window.desk, window.cameras.best
    QTest.qWait(50)
    empty = best.grab().toImage()
    desk.session.select(best_car(desk))
    QTest.qWait(50)
    assert best.grab().toImage() != empty
    sight = best.view.sight()
    low = best.to_panel(np.array(sight.ltrb_px[:2]))
    high = best.to_panel(np.array(sight.ltrb_px[2:]))
    assert max((high - low).x() / best.width(), (high - low).y() / best.height()) > 0.4


def test_a_2d_box_is_corrected_with_the_mouse(window: MainWindow) -> None:
    desk = window.desk
    QTest.keyClick(window.canvas, KEY.Key_U)
    panel = window.cameras.panels["cam_front"]
    window.cameras.enlarge("cam_front")
    QTest.qWait(100)
    ref, _ = panel.view.source()
    boxes = panel.view.rectangles(ref)
    chosen = max(
        (k for k, box in boxes.items() if box.attributes["truncation"] == 0),
        key=lambda k: boxes[k].right_px - boxes[k].left_px,
    )
    desk.session.select(chosen)
    box = boxes[chosen]
    edge = panel.to_panel(np.array([box.right_px, (box.top_px + box.bottom_px) / 2])).toPoint()
    drag(panel, edge, edge - QPoint(12, 0))
    mine = desk.session.track.image_boxes[(ref.camera, ref.timestamp_ns)]
    assert box.right_px - mine.right_px == pytest.approx(
        12 / panel.view.window(panel.view.source()[1]).scale, abs=1.0
    )
    QTest.keyClick(window.canvas, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (ref.camera, ref.timestamp_ns) not in desk.session.track.image_boxes


def test_what_the_mouse_points_at_in_3d_is_marked_in_the_images(window: MainWindow) -> None:
    desk, canvas = window.desk, window.canvas
    x, y, z = 12.0, 0.0, 0.0
    desk.look(MAIN, Orbit((x, y, z), 25.0, 0.0, np.radians(89.0)))
    middle = canvas.rectangles()[MAIN].center().toPoint()
    QTest.mouseMove(canvas, middle - QPoint(20, 20))
    QTest.mouseMove(canvas, middle)
    panel = window.cameras.panels["cam_front"]
    until(lambda: panel.paint.place is not None)
    np.testing.assert_allclose(panel.paint.place[:2], (x, y), atol=0.8)


def test_the_timeline_marks_what_findings_are_about(window: MainWindow) -> None:
    desk, timeline = window.desk, window.timeline
    desk.session.select(best_car(desk))
    track = desk.session.track
    assert timeline._found(track) == []
    unsure = [
        replace(a, source=Source.AUTO, locked=False, attributes={"look": "jumps", "confidence": 0.3})
        for a in list(track.annotations.values())[1:3]
    ]
    off = {rule.id: RuleConfig(skip=True) for rule in RULES if rule.id != "I9"}
    desk.reviewing.checking.config = CheckConfig(rules=off)
    desk.session.apply(PutTrack(track.with_annotations(unsure)))
    until(lambda: timeline._found(desk.session.track) == [(1, 2)])


def test_the_camera_stays_as_long_as_one_works_on_a_box(window: MainWindow) -> None:
    desk, view = window.desk, window.cameras.best.view
    desk.session.select(best_car(desk))
    QTest.qWait(50)
    camera, zoom = view.sight().image.camera, view.window(view.source()[1])
    for _ in range(3):
        QTest.keyClick(window.canvas, KEY.Key_A)
    assert view.sight().image.camera == camera
    assert view.window(view.source()[1]) == zoom


def test_an_edit_that_settles_a_finding_draws_the_window_once(window: MainWindow) -> None:
    desk, review = window.desk, window.review
    off = {rule.id: RuleConfig(skip=True) for rule in RULES if rule.id != "I9"}
    desk.reviewing.checking.config = CheckConfig(rules=off)
    review.parentWidget().raise_()
    track = desk.session.store.labels.tracks[best_car(desk)]
    said = {"look": "jumps", "confidence": 0.3}
    unsure = [
        replace(a, source=Source.AUTO, locked=False, attributes=said) for a in track.annotations.values()
    ]
    desk.session.apply(PutTrack(track.with_annotations(unsure)))
    until(lambda: review.model.listed and not desk.reviewing.checking.busy)
    QTest.qWait(200)

    class Counted(QObject):
        drawn = 0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            self.drawn += watched is window and event.type() == QEvent.Type.UpdateRequest
            return False

    counted = Counted()
    QApplication.instance().installEventFilter(counted)
    desk.session.apply(PutTrack(track))
    for _ in range(3):
        QApplication.processEvents()
    QApplication.instance().removeEventFilter(counted)
    assert (len(review.model.listed), counted.drawn) == (0, 1)
