"""What the effort meter makes of real mouse and key events all over the window."""

import os

import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest

from viewer.effort import effort_file, read_effort
from viewer.qt.palette import Palette
from viewer.qt.window import MainWindow

LEFT, NOTHING = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def counted(window: MainWindow) -> list[str]:
    """The actions that were noted, in order."""
    QTest.qWait(20)
    path = effort_file(window.desk.session.store.path)
    return [one.action for one in read_effort(path) if one.action] if path.exists() else []


def test_a_drag_in_a_pane_a_key_and_a_click_elsewhere_count_once_each(window: MainWindow) -> None:
    QTest.mousePress(window.canvas, LEFT, NOTHING, QPoint(200, 150))
    for x in (220, 240):
        QTest.mouseMove(window.canvas, QPoint(x, 150), 10)
    QTest.mouseRelease(window.canvas, LEFT, NOTHING, QPoint(240, 150))
    assert counted(window) == ["mouse"]
    QTest.keyClick(window.canvas, Qt.Key.Key_4)
    assert counted(window) == ["mouse", "frame.next"]
    QTest.mouseClick(window.timeline, LEFT, NOTHING, QPoint(window.timeline.width() - 20, 8))
    assert counted(window) == ["mouse", "frame.next", "mouse"]


def test_an_action_counts_once_however_it_is_chosen(window: MainWindow) -> None:
    chosen = Palette(window.menus.everything(), window)
    chosen.open()
    chosen.field.setText("Next frame")
    QTest.keyClick(chosen.field, Qt.Key.Key_Return)
    assert counted(window) == ["frame.next"]


def test_looking_about_takes_time_but_is_no_action(window: MainWindow) -> None:
    at_s = iter(range(100, 10_000))
    window.desk.effort.now_s = lambda: float(next(at_s))
    for x in (20, 60, 100):
        QTest.mouseMove(window.timeline, QPoint(x, 20), 10)
    QTest.qWait(20)
    assert counted(window) == []
    QTest.keyClick(window.canvas, Qt.Key.Key_4)
    (one,) = read_effort(effort_file(window.desk.session.store.path))
    assert one.seconds >= 3
