"""The first page: a simulated drive to try things on, a folder of one's own, and what was open before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from viewer.opened import SIMULATED, Opened

HELLO = """<h1 style="font-weight: 600; margin-bottom: 2px">Crosslabel</h1>
<p style="margin-top: 0">3D labels that agree with every sensor.</p>"""
TRY = """Everything stays on this computer, and every edit is on disk at once. Hold <b>F1</b> to see all keys,
press <b>Ctrl+Shift+P</b> to find anything by its name."""


class Welcome(QDialog):
    """Asks what to open.

    Attributes:
        chosen: what the person wants; None while nothing is.
    """

    def __init__(self, recent: Sequence[Opened], problem: str = "", parent: QWidget | None = None) -> None:
        """With what was open before, and why the last choice could not be opened."""
        super().__init__(parent)
        self.setWindowTitle("Crosslabel")
        self.resize(560, 520)
        self.chosen: Opened | None = None
        self.simulated = self._button("Try it on a simulated drive", self._simulate)
        self.folder = self._button("Open a log, or a data set, of your own ...", self._browse)
        self.simulated.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(44, 30, 44, 30)
        column.setSpacing(12)
        column.addWidget(QLabel(HELLO))
        self.problem = QLabel(problem)
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setStyleSheet("background: #5a2020; color: #ffd9d3; border-radius: 5px; padding: 7px;")
        self.problem.setVisible(bool(problem))
        for widget in (self.problem, self.simulated, self.folder):
            column.addWidget(widget)
        self.recent = QListWidget()
        self.recent.setFrameShape(QFrame.Shape.NoFrame)
        self.recent.setSpacing(4)
        for one in recent:
            item = QListWidgetItem(f"{one.log or one.path.name}\n{one.path}")
            item.setData(Qt.ItemDataRole.UserRole, one)
            self.recent.addItem(item)
        self.recent.itemActivated.connect(self._again)
        self.recent.itemClicked.connect(self._again)
        if recent:
            column.addWidget(QLabel("Opened before"))
            column.addWidget(self.recent, 1)
        else:
            column.addStretch(1)
        advice = QLabel(TRY)
        advice.setWordWrap(True)
        column.addWidget(advice)

    def _button(self, title: str, run: Callable[[], None]) -> QPushButton:
        button = QPushButton(title)
        button.setMinimumHeight(44)
        button.clicked.connect(lambda checked=False: run())
        return button

    def _simulate(self) -> None:
        self._take(Opened(SIMULATED))

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A log, or a data set of several")
        if folder:
            self._take(Opened(Path(folder)))

    def _again(self, item: QListWidgetItem) -> None:
        self._take(item.data(Qt.ItemDataRole.UserRole))

    def _take(self, chosen: Opened) -> None:
        self.chosen = chosen
        self.accept()


def ask(recent: Sequence[Opened], problem: str = "") -> Opened | None:
    """What to open; None where the page was closed."""
    page = Welcome(recent, problem)
    page.exec()
    return page.chosen


def ask_which(names: Sequence[str]) -> str | None:
    """Which log of a data set; None where none."""
    from PyQt6.QtWidgets import QInputDialog

    name, sure = QInputDialog.getItem(None, "Crosslabel", "Which log?", list(names), 0, False)
    return name if sure else None
