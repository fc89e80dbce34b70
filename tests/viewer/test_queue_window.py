"""`crosslabel view --queue`: window after window, by the keys that an annotator presses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from formats.folder import FOLDER
from fusion.labels import LabelSet
from fusion.simulate import Drive, SimulationConfig
from fusion.store import LabelStore
from viewer.queue import Queue

PRESSED = """
import sys
from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
from scripts import cli
from viewer.qt import app
app.application()
seen = []
def press():
    shown = [one for one in QApplication.topLevelWidgets() if one.isVisible() and hasattr(one, "canvas")]
    if not shown or shown[0] in seen:
        return
    window = shown[0]
    seen.append(window)
    print(window.windowTitle(), flush=True)
    window.activateWindow()
    QTest.qWait(300)
    keys = Qt.KeyboardModifier.ControlModifier
    if len(seen) == 1:
        QTest.keyClick(window.canvas, Qt.Key.Key_Return, keys | Qt.KeyboardModifier.ShiftModifier)
    elif len(seen) == 2:
        later, = (one for one in window.menus.everything() if one.text() == "Later, next log")
        later.trigger()
    else:
        QTest.keyClick(window.canvas, Qt.Key.Key_Q, keys)
timer = QTimer()
timer.timeout.connect(press)
timer.start(200)
sys.argv = ["crosslabel", "view", "--queue", sys.argv[2], "--author", "ann"]
cli.main()
"""


NAMES = ["drive0", "drive1", "drive2", "drive3"]


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """Of four logs and their labels, as a batch leaves them."""
    lines = []
    for number, name in enumerate(NAMES):
        config = SimulationConfig(name, number, 0, 0.3, rings=16, azimuth_steps=200, cameras=0)
        log = Drive(config).log()
        FOLDER.write(tmp_path / "logs" / name, [(log, LabelSet())])  # type: ignore[misc]
        (tmp_path / name).mkdir()
        LabelStore.create(tmp_path / name / "labels.db", name, LabelSet(), "crosslabel").close()
        place = {"path": str(tmp_path / "logs" / name), "format": "folder", "labels": f"{name}/labels.db"}
        lines.append(json.dumps({"log": name, **place, "saved_s": 10.0 - number, "places": 1}))
    path = tmp_path / "queue.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_done_later_and_enough_for_today(tmp_path: Path, queue: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESSED, str(tmp_path), str(queue)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    titles = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert done.returncode == 0 and titles == NAMES[:3], done.stderr
    assert "3 of 4 logs left" in done.stderr
    assert Queue(queue).done() == {"drive0"}
    assert json.loads((tmp_path / "reviewed.jsonl").read_text())["author"] == "ann"
