"""Around the labels: the review panel, colours, keys, the first page, what goes on; real events."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QPalette
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from fusion.checks.config import CheckConfig, RuleConfig
from fusion.checks.rules import RULES
from fusion.edits import PutAnnotations, RemoveTrack
from fusion.labels import Source
from viewer.actions import ACTIONS, conflicts
from viewer.opened import SIMULATED, Opened, listed, simulated_drive
from viewer.presets import own_keys_file, read_keys
from viewer.qt import theme
from viewer.qt.asking import AskDialog
from viewer.qt.keys import KeysDialog
from viewer.qt.settings import note_opened, recent
from viewer.qt.welcome import Welcome
from viewer.qt.window import MainWindow
from viewer.review.reviews import Place, State, commented
from viewer.tasks import going_on

LEFT, NOTHING = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def make_unsure(window: MainWindow, count: int = 3) -> list[str]:
    """Boxes of some tracks want a look, more of each next one; gives the tracks."""
    session, ids = window.desk.session, []
    there = [t for t in session.store.labels.tracks.values() if len(t.annotations) >= count]
    for number, track in enumerate(there[:count], start=1):
        some = list(track.annotations.values())[:number]
        said = {"look": "few points", "confidence": 0.5}
        made = tuple(replace(a, source=Source.AUTO, attributes=said) for a in some)
        session.apply(PutAnnotations(track.id, made))
        ids.append(track.id)
    return ids


def back(window: MainWindow) -> None:
    """To the window, after a dialog; without a window manager nobody else does it."""
    window.activateWindow()
    window.canvas.setFocus()
    QTest.qWait(50)


def ask_only(window: MainWindow, *rules: str) -> None:
    """Other rules are not asked."""
    off = {rule.id: RuleConfig(skip=True) for rule in RULES if rule.id not in rules}
    window.desk.reviewing.checking.config = CheckConfig(rules=off)


def until(done: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never came"
        QTest.qWait(20)


def test_findings_are_listed_clicked_and_accepted_with_return(window: MainWindow) -> None:
    ask_only(window, "I9")
    ids = make_unsure(window)
    review, desk = window.review, window.desk
    review.parentWidget().raise_()
    until(lambda: [finding.track_id for finding in review.model.listed] == ids)
    assert "3 findings" in review.summary.text()
    place = review.table.visualRect(review.model.index(0, 1)).center()
    QTest.mouseClick(review.table.viewport(), LEFT, NOTHING, place)
    assert desk.session.selected == ids[0]
    assert "Return: right as it is" in window.notice.text()
    QTest.keyClick(review.table, Qt.Key.Key_Return)  # the list has the focus now
    assert desk.session.selected == ids[1]
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert desk.session.selected == ids[2]
    assert [finding.track_id for finding in review.model.listed] == ids[2:]
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, CTRL)
    until(lambda: [finding.track_id for finding in review.model.listed] == ids[1:])


def test_the_log_is_checked_and_what_was_missing_is_added(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.review.checking.slow_findings", lambda *told: ())
    ask_only(window, "P14")
    desk, review = window.desk, window.review
    desk.session.apply(RemoveTrack("car-004"))
    review.parentWidget().raise_()
    until(lambda: not desk.reviewing.checking.busy)
    assert review.summary.text() == "No findings in the labels alone"
    QTest.keyClick(window.canvas, Qt.Key.Key_E, CTRL)
    assert not review.check.isEnabled()
    until(lambda: any("checking the log (" in task for task in going_on(desk)), 60)
    until(lambda: bool(review.model.listed) and not desk.reviewing.checking.busy, 60)
    assert review.check.isEnabled()
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    assert "an unlabelled" in window.notice.text()
    assert "P14 missing object" in review.told.text()
    assert review.table.selectionModel().isRowSelected(0)
    assert desk.session.selected is None
    count = len(desk.session.labels.tracks)
    QTest.keyClick(window.canvas, Qt.Key.Key_Return, CTRL)
    assert len(desk.session.labels.tracks) == count + 1
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, CTRL)
    assert len(desk.session.labels.tracks) == count


def test_states_and_comments_reach_the_file(window: MainWindow) -> None:
    desk, review = window.desk, window.review
    QTest.keyClick(window.canvas, Qt.Key.Key_Tab)
    track = desk.session.selected

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        QTest.keyClicks(dialog.field, "too far left")
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)

    QTimer.singleShot(200, answer)
    QTest.keyClick(window.canvas, Qt.Key.Key_K, CTRL)
    assert commented(desk.session.store.labels, desk.session.time_ns) == {track}
    assert "too far left" in review.comments.item(0).text()
    lines, _ = window.canvas.shown.drawing()
    back(window)
    QTimer.singleShot(200, answer)
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert desk.reviewing.state(Place(track)) is State.REJECTED
    assert review.track_state.currentText() == "rejected"
    review.parentWidget().raise_()
    window.resize(1200, 1000)
    QTest.qWait(100)
    place = review.comments.visualItemRect(review.comments.item(0)).center()
    QTest.mouseClick(review.comments.viewport(), LEFT, NOTHING, place)
    QTest.mouseDClick(review.comments.viewport(), LEFT, NOTHING, place)
    assert commented(desk.session.store.labels, desk.session.time_ns) == set()
    fewer, _ = window.canvas.shown.drawing()
    assert len(fewer.ends) < len(lines.ends)  # the pin above the box is gone


def test_colours_change_at_once_and_are_remembered(window: MainWindow) -> None:
    def paper() -> int:
        return QApplication.palette().color(QPalette.ColorRole.Window).lightness()

    theme.choose(theme.Theme.LIGHT)
    assert (paper() > 200, theme.chosen()) == (True, theme.Theme.LIGHT)
    theme.choose(theme.Theme.DARK)
    assert (paper() < 80, theme.chosen()) == (True, theme.Theme.DARK)
    theme.choose(theme.Theme.SYSTEM)


@pytest.mark.parametrize("one", [theme.Theme.DARK, theme.Theme.LIGHT])
def test_every_text_can_be_read(window: MainWindow, one: theme.Theme) -> None:
    theme.choose(one)
    palette, role = QApplication.palette(), QPalette.ColorRole
    for ink, paper in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.Text, role.AlternateBase),
        (role.ButtonText, role.Button),
        (role.HighlightedText, role.Highlight),
        (role.ToolTipText, role.ToolTipBase),
    ):
        assert _contrast(palette.color(ink), palette.color(paper)) > 4.5, (ink, paper)
    assert _contrast(palette.color(role.PlaceholderText), palette.color(role.Base)) > 3
    theme.choose(theme.Theme.SYSTEM)


def test_keys_are_changed_and_kept_and_no_key_means_two_things(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    dialog = KeysDialog(window.menus.table, window)
    save = dialog.buttons.buttons()[0]
    row = {action.id: row for row, action in enumerate(dialog.given)}
    dialog.table.item(row["frame.next"], 2).setText("Ctrl+Z")
    assert "ctrl+z would mean frame.next and edit.undo" in dialog.warning.text()
    assert not save.isEnabled()
    dialog.table.item(row["frame.next"], 2).setText("nonsense")
    assert "is no key" in dialog.warning.text()
    dialog.table.item(row["frame.next"], 2).setText("Space")
    assert "belongs to the window" in dialog.warning.text()
    dialog.table.item(row["frame.next"], 2).setText("Ctrl+F7 F7")
    assert save.isEnabled()
    assert dialog.changed_keys() == {"frame.next": ["Ctrl+F7", "F7"]}
    dialog.close()

    def change() -> None:
        asked = QApplication.activeModalWidget()
        assert isinstance(asked, KeysDialog)
        asked.table.item(row["frame.next"], 2).setText("F7")
        asked.accept()

    QTimer.singleShot(200, change)
    window.change_keys()
    back(window)
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    assert window.desk.session.frame == 1
    QTest.keyClick(window.canvas, Qt.Key.Key_4)
    assert window.desk.session.frame == 1
    assert json.loads(own_keys_file().read_text()) == {"frame.next": ["F7"]}
    assert tmp_path in own_keys_file().parents
    assert conflicts(read_keys(own_keys_file(), ACTIONS)) == {}


def test_the_first_page_gives_what_was_chosen(qapp: QApplication, window: MainWindow, tmp_path: Path) -> None:
    page = Welcome([Opened(tmp_path, "drive")], "that was no log")
    page.show()
    assert page.problem.text() == "that was no log"
    QTest.mouseClick(
        page.recent.viewport(), LEFT, NOTHING, page.recent.visualItemRect(page.recent.item(0)).center()
    )
    assert page.chosen == Opened(tmp_path, "drive")
    page = Welcome([])
    page.show()
    QTest.mouseClick(page.simulated, LEFT)
    assert page.chosen == Opened(SIMULATED)
    assert Welcome([]).chosen is None


def test_what_was_opened_is_offered_again_the_last_first(window: MainWindow, tmp_path: Path) -> None:
    for name in ("a", "b", "a", "gone"):
        note_opened(Opened(tmp_path / name, name))
    for name in "ab":
        (tmp_path / name).mkdir()
    assert [one.log for one in recent()] == ["gone", "a", "b"]
    assert [one.log for one in listed(recent())] == ["a", "b"]


def test_the_simulated_drive_has_labels_on_its_points() -> None:
    log, truth = simulated_drive(0.2)
    times_ns = log.timestamps_ns.tolist()
    assert len(log.rig.cameras) == 6
    assert sum(times_ns[0] in track.annotations for track in truth.tracks.values()) > 5


def test_what_takes_long_is_said_until_it_is_done(window: MainWindow) -> None:
    going: list[str] = ["reading frame 7"]
    window.status.going_on = lambda desk: going
    until(lambda: "reading frame 7 ... 1 s" in window.status.task.text())
    assert window.status.wheel.isVisible()
    going.clear()
    until(lambda: window.status.task.text() == "")
    assert not window.status.wheel.isVisible()


def test_a_frame_on_its_way_and_a_track_being_solved_go_on(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.tasks import going_on

    desk, looked = window.desk, threading.Event()
    solved = desk.proposals._refitter.solved
    monkeypatch.setattr(desk.proposals._refitter, "solved", lambda track: looked.wait(60) and solved(track))
    desk.cache.wait(0)
    assert going_on(desk) == []
    QTest.keyClick(window.canvas, Qt.Key.Key_Tab)
    QTest.keyClick(window.canvas, Qt.Key.Key_R)
    assert going_on(desk) == ["solving a track again"]
    looked.set()
    until(lambda: going_on(desk) == [], 60)


def test_what_goes_wrong_in_the_background_is_said(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(track: object) -> None:
        raise ValueError("no such scan")

    monkeypatch.setattr(window.desk.proposals._refitter, "solved", broken)
    QTest.keyClick(window.canvas, Qt.Key.Key_Tab)
    QTest.keyClick(window.canvas, Qt.Key.Key_R)
    until(lambda: "no such scan" in window.message.text())
    QTest.keyClick(window.canvas, Qt.Key.Key_Tab)  # the next thing one does takes it away
    assert "no such scan" not in window.message.text()


def _contrast(one, other) -> float:
    """As the accessibility guidelines of the web count it (WCAG 2.1)."""

    def light(colour) -> float:
        parts = np.array([colour.redF(), colour.greenF(), colour.blueF()])
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


ONE_AFTER_THE_OTHER = """
import sys
import threading
from pathlib import Path
from PyQt6.QtCore import QSettings, QTimer
from PyQt6.QtWidgets import QApplication
from fusion.labels import LabelSet
from fusion.store import LabelStore
from tests.viewer.odd_logs import log_of
from viewer.open import desk_of
from viewer.qt import app

folder = Path(sys.argv[1])
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
app.application()
for number in range(2):
    QTimer.singleShot(800, QApplication.closeAllWindows)
    with LabelStore.create(folder / f"{number}.db", "odd", LabelSet()) as store:
        print(app.open_window(desk_of(log_of(), store)))
QTimer.singleShot(300, lambda: QApplication.activeModalWidget().reject())
print(app.ask_what_to_open("that was no log"))
"""


def test_one_log_after_the_other_in_one_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["After.NOTHING", "After.NOTHING", "None"]), (
        done.stderr
    )
