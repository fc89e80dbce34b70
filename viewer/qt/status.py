"""The line at the bottom: where one is, and what goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QLabel, QProgressBar, QStatusBar

from viewer.desk import Desk
from viewer.frames.merge import Merge
from viewer.qt.line import Line

LOOK_MS, AT_ONCE_S, COMPLAINT_S = 200, 0.4, 8.0


def where(desk: Desk) -> str:
    """Where one is, and what was done last."""
    session = desk.session
    undo = session.store.undo_title
    parts = [
        f"frame {session.frame + 1} of {len(session.log)}",
        f"{len(session.present())} boxes",
        f"colours: {desk.display.colour_by}",
        *([str(desk.display.merge)] if desk.display.merge is not Merge.NONE else []),
        *(["solved again: R takes it over, Esc does not"] if desk.proposals.ghost else []),
        *([] if desk.proposals.live.on else ["tracks are not solved again after edits"]),
        f"last: {undo}" if undo else "nothing changed yet",
    ]
    return "   |   ".join(parts)


class Status:
    """Fills a status bar; says what goes on once it takes longer than a moment."""

    def __init__(self, bar: QStatusBar, desk: Desk, going_on: Callable[[Desk], list[str]]) -> None:
        """Of a desk."""
        self.desk, self.going_on = desk, going_on
        self.message, self.task, self.wheel = Line(), QLabel(), QProgressBar()
        self.wheel.setRange(0, 0)
        self.wheel.setFixedSize(90, 12)
        self.wheel.hide()
        bar.addWidget(self.message, 1)
        bar.addPermanentWidget(self.task)
        bar.addPermanentWidget(self.wheel)
        self._since: dict[str, float] = {}
        self._complained_s = -COMPLAINT_S
        self._timer = QTimer(bar)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def refresh(self) -> None:
        """Says where one is, unless something has just gone wrong."""
        if time.monotonic() - self._complained_s >= COMPLAINT_S:
            self.message.setText(where(self.desk))

    def complain(self, error: BaseException) -> None:
        """Says what did not go, for some seconds."""
        self._complained_s = time.monotonic()
        self.message.setText(" ".join(str(error).split()) or type(error).__name__)

    def settle(self) -> None:
        """What went wrong is no longer of interest."""
        self._complained_s = -COMPLAINT_S

    def stop(self) -> None:
        """Looks no more."""
        self._timer.stop()

    def _look(self) -> None:
        now = time.monotonic()
        there = self.going_on(self.desk)
        begun = {task.partition(" (")[0]: since for task, since in self._since.items()}
        # How far a task is stands in brackets, and does not make it another one.
        self._since = {task: begun.get(task.partition(" (")[0], now) for task in there}
        told = [
            f"{task} ... {now - since:.0f} s" if now - since >= 1 else f"{task} ..."
            for task, since in self._since.items()
            if now - since >= AT_ONCE_S
        ]
        self.task.setText(", ".join(told))
        self.wheel.setVisible(bool(told))
