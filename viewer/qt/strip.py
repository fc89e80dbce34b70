"""The selected object over many frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QShowEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QDockWidget, QWidget

from calib.types import U8, Floats
from fusion.boxes import EDGES
from viewer.desk import Desk
from viewer.pointer import Button, Deed, Pointer
from viewer.qt.marks import BUTTONS, COLOURS, HERE, diamond, held_of
from viewer.same import same
from viewer.scene.handles import extent_m, knob_m
from viewer.scene.views import Flat, Size, to_pixels
from viewer.strip.crop_drag import Tile
from viewer.strip.crop_picture import crop_picture
from viewer.strip.crops import Crop, Look
from viewer.strip.strip import Show
from viewer.tracks.keyframes import is_keyframe

PAPER, INK, QUIET = QColor(16, 18, 23), QColor(214, 218, 226), QColor(120, 127, 140)
GHOST = QColor(120, 255, 170)
HINT = "select an object: its boxes in all frames appear here"


class StripPanel(QWidget):
    """Crops of many frames side by side; a click goes to a frame, a drag reshapes the box there."""

    arrived = pyqtSignal()

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self._made: dict[int, tuple[tuple[object, ...], tuple[object, ...], QImage]] = {}
        self._docked = False
        self.setMinimumHeight(110)
        self.arrived.connect(self.update)
        desk.strip.reveal = self._reveal
        desk.strip.crops.arrived = desk.strip.looks.arrived = self.arrived.emit

    def sizeHint(self) -> QSize:
        """High enough to see something."""
        return QSize(900, 190)

    def refresh(self) -> None:
        """Draws what has changed."""
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws all crops."""
        strip = self.desk.strip
        strip.place = Size(self.width(), self.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), PAPER)
        tiles = strip.tiles()
        self._made = {tile.frame: self._made[tile.frame] for tile in tiles if tile.frame in self._made}
        for tile in tiles:
            painter.save()
            painter.translate(*tile.corner_px)
            painter.setClipRect(QRectF(0, 0, tile.size.width_px, tile.size.height_px))
            self._paint(painter, tile)
            painter.restore()
        if not tiles:
            painter.setPen(QUIET)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, HINT)
        painter.end()

    def showEvent(self, event: QShowEvent | None) -> None:
        """From now on the dock that it is in says whether one sees it."""
        super().showEvent(event)
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget) and not self._docked:
            self._docked = True
            dock.visibilityChanged.connect(self._seen)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Takes hold of a crop."""
        self._hand_over(event, Deed.PRESS)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Goes on with a drag."""
        self._hand_over(event, Deed.MOVE)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Ends a drag."""
        self._hand_over(event, Deed.RELEASE)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scrolls; with Ctrl, shows more or fewer frames."""
        assert event is not None
        where, steps = event.position(), event.angleDelta().y() / 120
        held = held_of(event.modifiers())
        self.desk.strip.on_pointer(Pointer(Deed.WHEEL, (where.x(), where.y()), held=held, steps=steps))

    def _seen(self, in_sight: bool) -> None:
        self.desk.strip.in_sight = in_sight

    def _reveal(self) -> None:
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def _hand_over(self, event: QMouseEvent | None, deed: Deed) -> None:
        assert event is not None
        where, button = event.position(), BUTTONS.get(event.button(), Button.NONE)
        held = held_of(event.modifiers())
        self.desk.strip.on_pointer(Pointer(deed, (where.x(), where.y()), button, held))

    def _paint(self, painter: QPainter, tile: Tile) -> None:
        strip, track_id = self.desk.strip, self.desk.session.selected or ""
        if strip.show is Show.CAMERA:
            self._paint_look(painter, tile, strip.looks.get((track_id, tile.frame)))
        elif tile.view is not None:
            crop = strip.crops.get((track_id, tile.frame))
            painter.drawImage(QPointF(0, 0), self._drawn(tile, tile.view, crop))
        self._paint_frame(painter, tile)

    def _drawn(self, tile: Tile, view: Flat, crop: Crop | None) -> QImage:
        """The picture of a crop with its box and its ghost; made when one of them changes."""
        ratio, ghost = self.devicePixelRatioF(), self.desk.proposals.at(tile.annotation.timestamp_ns)
        size = Size(tile.size.width_px * ratio, tile.size.height_px * ratio)
        things, scales = (crop, tile.annotation, ghost, view.ego_from_box), (view.side, view.m_per_px, size)
        known = self._made.get(tile.frame)
        if known is not None and known[1] == scales and same(known[0], things):
            return known[2]
        made = QImage(round(size.width_px), round(size.height_px), QImage.Format.Format_RGB32)
        made.fill(PAPER)
        painter = QPainter(made)
        if crop is not None:
            finer = replace(view, m_per_px=view.m_per_px / ratio)
            pixels = crop_picture(crop, finer, size, tile.annotation.box, round(2 * ratio))
            painter.drawImage(QPointF(0, 0), _image(pixels))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(ratio, ratio)
        self._paint_box(painter, tile, view)
        if ghost is not None:
            painter.setPen(QPen(GHOST, 1.2, Qt.PenStyle.DashLine))
            _lines(painter, view, tile.size, ghost.box.corners()[np.array(EDGES)])
        painter.end()
        made.setDevicePixelRatio(ratio)
        self._made[tile.frame] = (things, scales, made)
        return made

    def _paint_box(self, painter: QPainter, tile: Tile, view: Flat) -> None:
        box = tile.annotation.box
        colour = QColor(255, 255, 255) if is_keyframe(tile.annotation) else QColor(170, 178, 192)
        painter.setPen(QPen(colour, 1.4))
        _lines(painter, view, tile.size, box.corners()[np.array(EDGES)])
        knob = knob_m(view, box)
        if knob is not None:
            half = extent_m(view, box)
            ends = [(0.0, half[1], 0.0), (0.0, float(knob[1]), 0.0)]
            box_from_view = view.view_from_box.rotation.T
            ends_ego = box.ego_from_box @ (np.array(ends) @ box_from_view.T)
            (front, tip), _ = to_pixels(view, tile.size, ends_ego)
            painter.drawLine(QPointF(*front), QPointF(*tip))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(*tip), 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_look(self, painter: QPainter, tile: Tile, look: Look | None) -> None:
        if look is None:
            return
        height, width = look.pixels.shape[:2]
        scale = min(tile.size.width_px / width, tile.size.height_px / height)
        painter.save()
        left_px, top_px = tile.size.width_px - scale * width, tile.size.height_px - scale * height
        painter.translate(left_px / 2, top_px / 2)
        painter.scale(scale, scale)
        painter.drawImage(QPointF(0, 0), _image(look.pixels))
        pen = QPen(QColor(255, 255, 255, 200), 1.2)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.setClipRect(QRectF(0, 0, width, height), Qt.ClipOperation.IntersectClip)
        for line in look.lines:
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in line]))
        painter.restore()

    def _paint_frame(self, painter: QPainter, tile: Tile) -> None:
        """Its number, who made its box, and whether one is there."""
        here = tile.frame == self.desk.session.frame
        width, height = tile.size.width_px, tile.size.height_px
        painter.fillRect(QRectF(0, height - 4, width, 3), COLOURS[tile.annotation.source])
        if is_keyframe(tile.annotation):
            diamond(painter, QPointF(width - 10, 10), tile.annotation)
        painter.setPen(HERE if here else INK)
        painter.drawText(QPointF(5, 13), str(tile.frame + 1))
        painter.setPen(QPen(HERE, 2) if here else QPen(QColor(44, 49, 60), 1))
        painter.drawRect(QRectF(0.5, 0.5, width - 1.5, height - 1.5))


def _lines(painter: QPainter, view: Flat, size: Size, ends: Floats) -> None:
    uv_px, _ = to_pixels(view, size, ends.reshape(-1, 3))
    for (x1, y1), (x2, y2) in uv_px.reshape(-1, 2, 2):
        painter.drawLine(QPointF(x1, y1), QPointF(x2, y2))


def _image(pixels: U8) -> QImage:
    height, width = pixels.shape[:2]
    kept = np.ascontiguousarray(pixels)
    return QImage(kept.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
