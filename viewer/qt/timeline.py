"""A row for each track over the frames of the drive, the selected one on top."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QScrollBar, QWidget

from fusion.checks import Finding
from fusion.labels import Track
from viewer.desk import Desk
from viewer.qt.marks import COLOURS, CONFIRMED, HERE, colour_of, diamond
from viewer.tracks.rows import Rows, Run, nearest_frame

PAPER, STRIPE, CHOSEN = QColor(20, 23, 29), QColor(25, 29, 36), QColor(40, 66, 102)
FOUND = QColor(229, 83, 75)
INK, QUIET, RULE = QColor(196, 201, 211), QColor(120, 127, 140), QColor(52, 57, 68)
RULER_PX, ROW_PX, PINNED_PX, BAR_PX = 17, 16, 22, 6
NAMES_SHARE, NAMES_PX, MARGIN_PX, SCROLL_PX = 0.2, 130, 12, 10
SCROLLED_ROWS, DIAMONDS_FROM_PX, LABEL_PX = 3, 7.0, 48


class Timeline(QWidget):
    """All tracks over all frames; a click goes there, in a row it selects, the wheel scrolls."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self._rows = Rows(desk.session.log)
        self._tracks: list[Track] = []
        self._left_px, self._step_px = float(NAMES_PX), 1.0
        self._findings: tuple[list[Finding], dict[str, list[Finding]]] | None = None
        self.bar = QScrollBar(Qt.Orientation.Vertical, self)
        self.bar.valueChanged.connect(self.update)
        self.setMinimumHeight(RULER_PX + PINNED_PX + ROW_PX)

    def sizeHint(self) -> QSize:
        """A few rows."""
        return QSize(600, 170)

    def refresh(self) -> None:
        """Draws what has changed."""
        self._tracks = list(self.desk.session.labels.tracks.values())
        self._fit_bar()
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """More or fewer rows fit, and frames stand closer or farther apart."""
        self._left_px = min(NAMES_PX, NAMES_SHARE * self.width()) + MARGIN_PX
        room = self.width() - self._left_px - MARGIN_PX - SCROLL_PX
        self._step_px = max(room, 1.0) / max(len(self.desk.session.log) - 1, 1)
        self._fit_bar()

    def row_at(self, y: float) -> Track | None:
        """The track in whose row a place is."""
        if RULER_PX <= y < self._top():
            return self.desk.session.track
        number = self.bar.value() + int((y - self._top()) // ROW_PX)
        return self._tracks[number] if y >= self._top() and number < len(self._tracks) else None

    def x_of(self, frame: int) -> float:
        """Where a frame is."""
        return self._left_px + frame * self._step_px

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws the rows that are in sight, and where one is."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), PAPER)
        self._paint_ruler(painter)
        selected = self.desk.session.track
        if selected is None:
            painter.setPen(QUIET)
            painter.drawText(QPointF(8, RULER_PX + 15), "no object selected")
        else:
            painter.fillRect(QRectF(0, RULER_PX, self.width(), PINNED_PX), CHOSEN)
            self._paint_row(painter, selected, RULER_PX, PINNED_PX)
        painter.setClipRect(QRectF(0, self._top(), self.width(), self.height()))
        first = self.bar.value()
        for number, track in enumerate(self._tracks[first : first + self._fitting() + 1]):
            y = self._top() + number * ROW_PX
            if track is selected or (first + number) % 2:
                shade = CHOSEN if track is selected else STRIPE
                painter.fillRect(QRectF(0, y, self.width(), ROW_PX), shade)
            self._paint_row(painter, track, y, ROW_PX)
        painter.setClipping(False)
        x, frame = self.x_of(self.desk.session.frame), self.desk.session.frame
        painter.setPen(QPen(HERE, 1.6))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.drawText(QPointF(8, 13), f"frame {frame + 1}")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Goes to the frame under the mouse; in the row of a track, selects it."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        where, session = event.position(), self.desk.session
        track = self.row_at(where.y())
        frame: int | None = self._frame(where.x())
        if track is not None and where.y() >= self._top():
            session.select(track.id)
            named = where.x() < self._left_px - MARGIN_PX
            frame = nearest_frame(session.log, track, session.frame if named else self._frame(where.x()))
        if frame is not None:
            session.go_to(frame)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Scrubs."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.desk.session.go_to(self._frame(event.position().x()))

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scrolls through the tracks."""
        assert event is not None
        self.bar.setValue(self.bar.value() - round(SCROLLED_ROWS * event.angleDelta().y() / 120))

    def _paint_ruler(self, painter: QPainter) -> None:
        count, step = len(self.desk.session.log), self._step_px
        every = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if n * step >= LABEL_PX)
        for number in (1, *range(max(every, 2), count + 1, every)):
            x = self.x_of(number - 1)
            painter.setPen(QPen(RULE, 1))
            painter.drawLine(QPointF(x, RULER_PX - 4), QPointF(x, self.height()))
            painter.setPen(QUIET)
            painter.drawText(QPointF(x + 3, 12), str(number))

    def _paint_row(self, painter: QPainter, track: Track, top: float, height: float) -> None:
        middle, step = top + height / 2, self._step_px
        painter.fillRect(QRectF(5, middle - 4, 8, 8), QColor(*self.desk.schema.colour(track.category)))
        painter.setPen(INK)
        name = track.id if track.id.startswith(track.category) else f"{track.category} {track.id}"
        metrics, room = painter.fontMetrics(), int(self._left_px - MARGIN_PX - 18)
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(17, middle + metrics.ascent() / 2 - 1), text)
        row = self._rows.of(track)
        for run, source in row.runs:
            painter.fillRect(self._stretch(run, middle - BAR_PX / 2, BAR_PX), COLOURS[source])
        for run in row.confirmed:
            painter.fillRect(self._stretch(run, middle + BAR_PX / 2, 2), CONFIRMED)
        for run in self._found(track):
            painter.fillRect(self._stretch(run, middle - BAR_PX / 2 - 2, 2), FOUND)
        for frame, annotation in row.keys:
            if step >= DIAMONDS_FROM_PX:
                diamond(painter, QPointF(self.x_of(frame), middle), annotation)
            else:
                place = QRectF(self.x_of(frame) - 0.75, middle - 5, 1.5, 10)
                painter.fillRect(place, colour_of(annotation))

    def _found(self, track: Track) -> list[Run]:
        """The stretches of a track that findings are about."""
        findings = self.desk.reviewing.findings()
        if self._findings is None or self._findings[0] is not findings:
            by_track: dict[str, list[Finding]] = {}
            for one in findings:
                by_track.setdefault(one.track_id or "", []).append(one)
            self._findings = (findings, by_track)
        times = {t for one in self._findings[1].get(track.id, ()) for t in one.timestamps_ns}
        if not times:
            return []
        frames = np.sort(self.desk.session.log.frames_at(list(times)))
        frames = frames[frames >= 0]
        parts = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        return [(int(part[0]), int(part[-1])) for part in parts if len(part)]

    def _stretch(self, run: Run, top: float, height: float) -> QRectF:
        """From the first of some frames to the last, up to halfway to the next ones."""
        half, last = self._step_px / 2, self.x_of(len(self.desk.session.log) - 1)
        left = max(self.x_of(run[0]) - half, self._left_px - MARGIN_PX + 2)
        right = min(self.x_of(run[1]) + half, last + MARGIN_PX - 2)
        return QRectF(left, top, max(right - left, 1.5), height)

    def _fit_bar(self) -> None:
        self.bar.setGeometry(self.width() - SCROLL_PX, RULER_PX, SCROLL_PX, max(self.height() - RULER_PX, 0))
        self.bar.setRange(0, max(len(self._tracks) - self._fitting(), 0))
        self.bar.setPageStep(max(self._fitting(), 1))
        self.bar.setVisible(self.bar.maximum() > 0)

    def _top(self) -> float:
        return RULER_PX + PINNED_PX

    def _fitting(self) -> int:
        return int((self.height() - self._top()) // ROW_PX)

    def _frame(self, x: float) -> int:
        return round((x - self._left_px) / self._step_px)
