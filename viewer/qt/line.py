"""A line of text whose change moves nothing around it."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget


class Line(QWidget):
    """As wide as there is room, cut off where that is too little.

    A label of Qt has the whole window laid out, and put together, once more for every level of panels it
    stands in, whenever its text changes.
    """

    def __init__(self, text: str = "") -> None:
        """With a text."""
        super().__init__()
        self._text = text
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """What it says."""
        return self._text

    def setText(self, text: str) -> None:
        """Says something else."""
        if text != self._text:
            self._text = text
            self.setToolTip(text)
            self.update()

    def sizeHint(self) -> QSize:
        """One line high."""
        return QSize(0, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws the text."""
        painter = QPainter(self)
        place = QRect(0, 0, self.width(), self.height())
        shown = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()
