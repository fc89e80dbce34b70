"""Input outside the panes, for the effort meter: what is clicked on elsewhere, and that somebody is there."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QTimer
from PyQt6.QtGui import QInputEvent
from PyQt6.QtWidgets import QApplication, QMenu, QMenuBar, QWidget

from viewer.effort import MOUSE, EffortMeter
from viewer.qt.canvas import Canvas

SIGNS = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.KeyPress,
)
# The desk itself counts drags in its panes, and an action counts however it was chosen.
COUNTED_ELSEWHERE = (Canvas, QMenu, QMenuBar)


class Watch(QObject):
    """Tells a meter of every input to a window, and of clicks and drags that the desk does not see."""

    def __init__(self, window: QWidget, meter: EffortMeter) -> None:
        """Of a window, as long as it exists."""
        super().__init__(window)
        self._window, self._meter, self._last_ms = window, meter, -1
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, receiver: QObject | None, event: QEvent | None) -> bool:
        """Looks, and lets everything pass."""
        if event is None or event.type() not in SIGNS or not isinstance(receiver, QWidget):
            return False
        if receiver is not self._window and not self._window.isAncestorOf(receiver):
            return False
        self._meter.noticed()
        if event.type() == QEvent.Type.MouseButtonRelease and not isinstance(receiver, COUNTED_ELSEWHERE):
            assert isinstance(event, QInputEvent)
            # What nobody wants is handed on to the widget below, as the same event.
            if event.timestamp() != self._last_ms:
                QTimer.singleShot(0, lambda: self._meter.did(MOUSE))
            self._last_ms = event.timestamp()
        return False
