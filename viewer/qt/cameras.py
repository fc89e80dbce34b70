"""The images of a frame with the boxes in them."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QGridLayout, QWidget

from calib.types import F64, U8
from fusion.log import ImageRef
from viewer.desk import Desk
from viewer.images import Outline, Outlines
from viewer.pixels import dotted, track_at
from viewer.shown import Shown

NARROW, WIDE = 1.3, 2.4


class CameraPanel(QWidget):
    """One image; a click selects the box under it, a double click enlarges the panel."""

    enlarged = pyqtSignal(str)

    def __init__(self, desk: Desk, shown: Shown, outlines: Outlines, camera: str) -> None:
        """Of one camera."""
        super().__init__()
        self.desk, self.shown, self.outlines, self.camera = desk, shown, outlines, camera
        self._made: tuple[U8, U8 | None, tuple[int, int], QImage] | None = None
        self.seen: list[Outline] = []
        self.setMinimumSize(120, 80)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws the image, the boxes over it, and the name of the camera."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(16, 18, 22))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.desk.frame
        if frame is not None and self.camera in frame.images:
            ref, pixels = frame.images[self.camera]
            place = self._place(pixels)
            painter.drawImage(place, self._as_image(ref, pixels, place))
            there = [track for track, _ in self.desk.session.present()]
            self.seen = sorted(self.outlines.of(ref, there), key=lambda one: -one.away_m)
            painter.translate(place.topLeft())
            scale = place.width() / pixels.shape[1]
            painter.setClipRect(QRectF(0, 0, place.width(), place.height()))
            for one in self.seen:
                self._paint(painter, one, scale)
            painter.resetTransform()
            painter.setClipping(False)
        painter.setPen(QColor(210, 214, 222))
        painter.drawText(QPointF(8, 16), self.camera)
        if frame is not None and self.camera not in frame.images:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no image")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Selects the nearest box under the mouse."""
        frame = self.desk.frame
        if event is None or frame is None or self.camera not in frame.images:
            return
        _, pixels = frame.images[self.camera]
        place = self._place(pixels)
        at = (event.position() - place.topLeft()) * (pixels.shape[1] / place.width())
        self.desk.session.select(track_at(self.seen, (at.x(), at.y())))

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Enlarges the panel, or makes it small again."""
        self.enlarged.emit(self.camera)

    def to_panel(self, uv_px: F64) -> QPointF:
        """Where a pixel of the image is in the panel."""
        frame = self.desk.frame
        assert frame is not None
        _, pixels = frame.images[self.camera]
        place = self._place(pixels)
        scale = place.width() / pixels.shape[1]
        return QPointF(place.left() + scale * float(uv_px[0]), place.top() + scale * float(uv_px[1]))

    def _place(self, pixels: U8) -> QRectF:
        """Where the image is in the panel: as large as fits."""
        height, width = pixels.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        size = width * scale, height * scale
        return QRectF((self.width() - size[0]) / 2, (self.height() - size[1]) / 2, *size)

    def _as_image(self, ref: ImageRef, pixels: U8, place: QRectF) -> QImage:
        """The image as large as it is shown, with the points in it where they are wanted; made once."""
        ratio = self.devicePixelRatioF()
        size = max(round(place.width() * ratio), 1), max(round(place.height() * ratio), 1)
        colours = self.shown.colours() if self.desk.display.points_in_images else None
        known = self._made
        if known is None or known[0] is not pixels or known[1] is not colours or known[2] != size:
            import cv2

            smaller = size[0] < pixels.shape[1]
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            scaled: U8 = np.asarray(cv2.resize(pixels, size, interpolation=way), dtype=np.uint8)
            seen = None if colours is None else self.shown.points_in(ref)
            if seen is not None and colours is not None:
                scaled = dotted(scaled, seen, colours, size[0] / pixels.shape[1])
            image = QImage(scaled.tobytes(), *size, 3 * size[0], QImage.Format.Format_RGB888)
            known = self._made = (pixels, colours, size, image.copy())
        return known[3]

    def _paint(self, painter: QPainter, one: Outline, scale: float) -> None:
        session = self.desk.session
        selected = one.track_id == session.selected
        if not (self.desk.display.others or selected):
            return
        colour = QColor(*self.desk.schema.colour(session.labels.tracks[one.track_id].category))
        strong = selected or one.track_id == self.desk.hovered
        painter.setPen(QPen(QColor(255, 255, 255) if selected else colour, WIDE if strong else NARROW))
        for line in one.lines:
            painter.drawPolyline(_polygon(line, scale))
        if len(one.front) == 4:
            painter.setPen(Qt.PenStyle.NoPen)
            colour.setAlpha(70)
            painter.setBrush(colour)
            painter.drawPolygon(_polygon(np.concatenate(one.front), scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)


class CameraStrip(QWidget):
    """All cameras of a rig side by side; one of them may fill the place of all."""

    def __init__(self, desk: Desk, shown: Shown) -> None:
        """Of a desk, and of what it shows."""
        super().__init__()
        outlines = Outlines(desk.session.log)
        self.panels = {
            name: CameraPanel(desk, shown, outlines, name) for name in desk.session.log.rig.cameras
        }
        self._large: str | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        for column, panel in enumerate(self.panels.values()):
            self._grid.addWidget(panel, 0, column)
            panel.enlarged.connect(self.enlarge)

    def sizeHint(self) -> QSize:
        """High enough to see something."""
        return QSize(900, 190)

    def enlarge(self, camera: str) -> None:
        """Shows one camera alone, or all again."""
        self._large = None if self._large == camera else camera
        for name, panel in self.panels.items():
            panel.setVisible(self._large in (None, name))

    def refresh(self) -> None:
        """Draws all that can be seen again."""
        for panel in self.panels.values():
            if panel.isVisible():
                panel.update()


def _polygon(line: F64, scale: float) -> QPolygonF:
    return QPolygonF([QPointF(x * scale, y * scale) for x, y in line])
