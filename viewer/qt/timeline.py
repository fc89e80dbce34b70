"""Where one is in the drive, and at which frames the selected object is there."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from fusion.labels import Annotation, Source
from viewer.desk import Desk

COLOURS = {
    Source.HUMAN: QColor(110, 190, 255),
    Source.IMPORTED: QColor(150, 160, 180),
    Source.AUTO: QColor(120, 200, 140),
    Source.INTERPOLATED: QColor(90, 110, 135),
}
MARGIN_PX, DIAMOND_PX = 12.0, 4.5


class Timeline(QWidget):
    """A line of frames; a click or a drag goes there."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.setMinimumHeight(52)

    def sizeHint(self) -> QSize:
        """As low as it can be."""
        return QSize(600, 56)

    def refresh(self) -> None:
        """Draws what has changed."""
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws the frames, the selected track and where one is."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(20, 23, 29))
        session = self.desk.session
        count, step = len(session.log), self._step_px()
        painter.setPen(QPen(QColor(60, 66, 78), 1))
        every = max(1, round(60 / max(step, 1e-6) / 10) * 10) if step < 6 else 5
        for frame in range(0, count, every):
            x = self._x(frame)
            painter.drawLine(QPointF(x, 18), QPointF(x, self.height()))
            painter.drawText(QPointF(x + 2, 13), str(frame))
        track = session.track
        if track is not None:
            for time_ns, annotation in track.annotations.items():
                number = session.frame_at(time_ns)
                if number is not None:
                    self._paint(painter, self._x(number), step, annotation)
        x = self._x(session.frame)
        painter.setPen(QPen(QColor(255, 210, 90), 2))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.drawText(QPointF(min(x + 5, self.width() - 60), self.height() - 4), f"frame {session.frame}")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Goes to the frame under the mouse."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Scrubs."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent | None) -> None:
        if event is not None:
            self.desk.session.go_to(round((event.position().x() - MARGIN_PX) / max(self._step_px(), 1e-6)))

    def _step_px(self) -> float:
        return (self.width() - 2 * MARGIN_PX) / max(len(self.desk.session.log) - 1, 1)

    def _x(self, frame: int) -> float:
        return MARGIN_PX + frame * self._step_px()

    def _paint(self, painter: QPainter, x: float, step: float, annotation: Annotation) -> None:
        middle = self.height() / 2 + 4
        colour = COLOURS[annotation.source]
        painter.fillRect(QRectF(x - step / 2, middle - 3, max(step, 1.0), 6), colour)
        if annotation.locked or annotation.source is Source.HUMAN:
            painter.save()
            painter.translate(x, middle)
            painter.rotate(45)
            painter.setPen(QPen(QColor(20, 23, 29), 1))
            painter.setBrush(QColor(255, 210, 90) if annotation.locked else colour.lighter(130))
            side = 2 * DIAMOND_PX
            painter.drawRect(QRectF(-side / 2, -side / 2, side, side))
            painter.restore()
