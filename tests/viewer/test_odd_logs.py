"""Bad input shows a usable window and a clear message; real events, in a real window."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from calib.errors import CrosslabelError
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.store import LabelStore
from tests.viewer.odd_logs import ODD, log_of
from viewer.actions import ACTIONS
from viewer.frames.frame import MOST_POINTS
from viewer.open import desk_of
from viewer.panes import MAIN
from viewer.qt.window import MainWindow
from viewer.scene.views import Orbit, to_pixels

CTRL, LEFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton
CAR = Box3D.upright((11.0, 0.0, 0.8), (4.4, 1.9, 1.6), 0.0)
# What leaves the window to ask something, or writes beside it.
SLOW_S = 2.0


@contextmanager
def shown(log: DriveLog, labels: LabelSet, folder: Path) -> Iterator[MainWindow]:
    """A window of a log, from its opening to its end."""
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    with LabelStore.create(folder / "labels.db", log.name, labels, "me") as store:
        desk = desk_of(log, store)
        window = MainWindow(desk)
        window.resize(900, 600)
        window.show()
        QTest.qWaitForWindowExposed(window)
        window.activateWindow()
        window.canvas.setFocus()
        desk.cache.wait(0)
        QTest.qWait(50)
        try:
            yield window
        finally:
            window.close()
            desk.close()
            window.deleteLater()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            del window, desk
            gc.collect()


def car(log: DriveLog) -> LabelSet:
    return LabelSet.of([Track.of("1", "car", [Annotation(int(t), CAR) for t in log.timestamps_ns])])


@pytest.mark.parametrize("name", ODD)
def test_the_window_is_usable_and_says_what_is_wrong(qapp: QApplication, tmp_path: Path, name: str) -> None:
    make, message = ODD[name]
    log = make()
    with shown(log, car(log), tmp_path) as window:
        said = window.notice.text() if window.notice.isVisible() else None
        assert (said is None) if message is None else (said is not None and message in said)
        assert said is None or window.canvas.rect().contains(window.notice.geometry())
        desk, canvas = window.desk, window.canvas
        desk.reviewing.ask = lambda title, offered: None  # nobody is there to answer
        for run in (lambda: QTest.keyClick(canvas, Qt.Key.Key_Tab), lambda: QTest.keyClick(canvas, "w")):
            run()
        assert desk.session.selected == "1"
        np.testing.assert_allclose(desk.session.annotation.box.center, [11.05, 0, 0.8])
        for action in ACTIONS:
            if action.id == "review.check":  # says at once what cannot be read, in place of the frame
                continue
            slowest = _timed(lambda action=action: action.run(desk))
            assert slowest < SLOW_S, action.id
            desk.cancel()
        assert len(desk.cloud.points) <= MOST_POINTS
        # Whatever is read in the background, events are still answered.
        assert max(_timed(lambda: QTest.qWait(5)) for _ in range(5)) < SLOW_S
        assert "frame" in window.message.text()
        while desk.session.store.undo_title is not None:
            desk.session.undo()
        assert set(desk.session.labels.tracks) == {"1"}


def test_the_first_box_of_an_empty_log_is_drawn(qapp: QApplication, tmp_path: Path) -> None:
    with shown(log_of(), LabelSet(), tmp_path) as window:
        assert "Ctrl and a drag" in window.notice.text()
        desk, canvas = window.desk, window.canvas
        desk.look(MAIN, Orbit((10.0, 0.0, 0.0), 25.0, 0.0, np.radians(89.9)))
        places, _ = to_pixels(desk.panes.view(MAIN), desk.panes.size(MAIN), CAR.corners())
        corner = canvas.rectangles()[MAIN].topLeft()
        low, high = (corner + QPointF(*end) for end in (places.min(axis=0) - 5, places.max(axis=0) + 5))
        start, end = QPoint(round(low.x()), round(high.y())), QPoint(round(high.x()), round(low.y()))
        QTest.mousePress(canvas, LEFT, CTRL, start)
        for share in (0.5, 1.0):
            QTest.mouseMove(canvas, start + (end - start) * share, 10)
        QTest.mouseRelease(canvas, LEFT, CTRL, end)
        assert np.linalg.norm((desk.session.annotation.box.center - CAR.center)[:2]) < 0.5
        assert not window.notice.isVisible()


def test_points_far_away_are_found_with_one_key(qapp: QApplication, tmp_path: Path) -> None:
    make, _ = ODD["points far away"]
    log = make()
    with shown(log, LabelSet(), tmp_path) as window:
        assert not _lit(window)
        QTest.keyClick(window.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
        assert _lit(window)


def test_a_log_without_frames_is_refused_in_one_line(tmp_path: Path) -> None:
    log = log_of(frames=2)
    with (
        LabelStore.create(tmp_path / "labels.db", "odd", LabelSet()) as store,
        pytest.raises(CrosslabelError, match="no frames"),
    ):
        desk_of(replace(log, timestamps_ns=np.zeros(0, np.int64)), store)


OPEN = """
import sys
from fusion.labels import LabelSet
from fusion.store import LabelStore
from scripts.console import known_error
from tests.viewer.odd_logs import log_of
from viewer.open import desk_of
from viewer.qt.app import open_window

with LabelStore.create(sys.argv[1], "odd", LabelSet()) as store:
    try:
        open_window(desk_of(log_of(), store))
    except Exception as error:
        sys.exit(known_error(error))
"""


@pytest.mark.parametrize("given", [{"MESA_GL_VERSION_OVERRIDE": "2.1"}, {"QT_QPA_PLATFORM": "offscreen"}])
def test_without_a_driver_there_is_one_line(tmp_path: Path, given: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(tmp_path / "labels.db")],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if "OpenGL" in line]
    assert "needs OpenGL" in line
    assert "Traceback" not in done.stderr


def _timed(run: Callable[[], object]) -> float:
    """How long the window's own thread works on it; others may hold up the machine meanwhile."""
    start = time.thread_time()
    run()
    return time.thread_time() - start


def _lit(window: MainWindow) -> bool:
    """Whether bright points are seen in the main pane."""
    box = window.canvas.rectangles()[MAIN].toRect().adjusted(0, 30, 0, -120)
    picture = window.canvas.grabFramebuffer().copy(box)
    grey = [
        picture.pixelColor(x, y).lightness()
        for x in range(0, picture.width(), 4)
        for y in range(0, picture.height(), 4)
    ]
    return float((np.array(grey) > 110).mean()) > 0.003
