"""Painting one image with all that belongs over it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from calib.project import VisiblePoints
from calib.types import F64, U8
from fusion.labels import ImageBox, Source
from fusion.log import ImageRef
from viewer.images.image_view import BestView, ImageView
from viewer.images.outlines import Outline
from viewer.images.pixels import dotted
from viewer.images.zoom import Zoom
from viewer.same import same
from viewer.scene.shown import Shown
from viewer.scene.views import Size

PAPER, INK = QColor(16, 18, 22), QColor(210, 214, 222)
WHITE, CROSS, CORRECTED = QColor(255, 255, 255), QColor(255, 200, 60), QColor(255, 210, 90)
NARROW, WIDE, FAINT = 1.3, 2.4, 80
CROSS_PX, CORNER_PX = 9.0, 5.0

Part = tuple[int, int, int, int]


@dataclass(eq=False)
class ImagePainter:
    """Paints what a view shows; the image as large as it is shown is made once.

    Attributes:
        view: which image, and which part of it.
        shown: the points of the frame.
        place: (3,) what the mouse points at in 3D.
    """

    view: ImageView
    shown: Shown
    place: F64 | None = None
    _behind: tuple[tuple[object, ...], tuple[object, ...], QImage] | None = field(default=None, repr=False)

    def all(self, painter: QPainter, ref: ImageRef, pixels: U8, ratio: float) -> None:
        """Paints the image, and over it boxes, 2D boxes and the cross."""
        window, size = self.view.window(pixels), self.view.size
        outlines, rectangles = self.view.look(ref), self.view.rectangles(ref)
        painter.drawImage(QPointF(0, 0), self._background(ref, pixels, outlines, rectangles, ratio))
        painter.save()
        painter.setClipRect(_place(window, pixels, size))
        painter.translate(*window.to_panel((0.0, 0.0), size))
        selected, hovered = self.view.desk.session.selected, self.view.desk.hovered
        for one in outlines:
            if one.track_id in (selected, hovered):
                self._paint_box(painter, one, window)
        if selected in rectangles:
            self._paint_rectangle(painter, selected, rectangles[selected], window)
        self._paint_cross(painter, ref, window)
        painter.restore()

    def _background(
        self,
        ref: ImageRef,
        pixels: U8,
        outlines: list[Outline],
        rectangles: dict[str, ImageBox],
        ratio: float,
    ) -> QImage:
        """The image with all that belongs to objects that are not selected; made when it changes."""
        desk, window, size = self.view.desk, self.view.window(pixels), self.view.size
        colours = self.shown.colours() if desk.display.points_in_images else None
        others = [one for one in outlines if one.track_id != desk.session.selected]
        boxes = {track_id: box for track_id, box in rectangles.items() if track_id != desk.session.selected}
        seen = None if colours is None else self.shown.points_soon(ref)
        things = (pixels, colours, seen, desk.schema, *others, *boxes.values())
        numbers = (window, size, ratio, desk.display.rectangles, desk.display.others)
        known = self._behind
        if known is not None and known[1] == numbers and same(known[0], things):
            return known[2]
        made = QImage(round(size.width_px * ratio), round(size.height_px * ratio), QImage.Format.Format_RGB32)
        made.setDevicePixelRatio(ratio)
        made.fill(PAPER)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawImage(_place(window, pixels, size), self._scaled(ref, pixels, colours, seen, ratio))
        painter.setClipRect(_place(window, pixels, size))
        painter.translate(*window.to_panel((0.0, 0.0), size))
        for one in others:
            self._paint_box(painter, one, window)
        for track_id, box in boxes.items():
            self._paint_rectangle(painter, track_id, box, window)
        painter.end()
        self._behind = (things, numbers, made)
        return made

    def _scaled(
        self, ref: ImageRef, pixels: U8, colours: U8 | None, seen: VisiblePoints | None, ratio: float
    ) -> QImage:
        """The part of the image that is shown, as large as that, with the points in it if they are wanted."""
        window = self.view.window(pixels)
        part, scale = window.visible(_size(pixels), self.view.size), window.scale * ratio
        made = self._resized(ref, pixels, part, scale)
        if seen is not None and colours is not None:
            made = dotted(made, seen, colours, scale, part[:2])
        height, width = made.shape[:2]
        return QImage(made.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()

    def _resized(self, ref: ImageRef, pixels: U8, part: Part, scale: float) -> U8:
        import cv2

        left, top, right, bottom = part
        size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
        source, frame = pixels[top:bottom, left:right], self.view.desk.frame
        small = None if frame is None else frame.small.get(ref.camera)
        if small is not None and source.shape == pixels.shape and small.shape[1] >= size[0]:
            source = small
        way = cv2.INTER_AREA if size[0] < source.shape[1] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(source, size, interpolation=way), dtype=np.uint8)

    def _paint_box(self, painter: QPainter, one: Outline, window: Zoom) -> None:
        desk = self.view.desk
        selected = one.track_id == desk.session.selected
        if not (desk.display.others or selected):
            return
        colour = QColor(*desk.schema.colour(desk.session.labels.tracks[one.track_id].category))
        strong = selected or one.track_id == desk.hovered
        ink = QColor(WHITE if selected else colour)
        # Behind 2D boxes, and around the one that is looked at close up, 3D boxes are only a hint.
        hint = desk.display.rectangles or (isinstance(self.view, BestView) and not selected)
        ink.setAlpha(FAINT if hint else 255)
        painter.setPen(QPen(ink, WIDE if strong else NARROW))
        for line in one.lines:
            painter.drawPolyline(_polygon(line, window.scale))
        if len(one.front) == 4 and not hint:
            painter.setPen(Qt.PenStyle.NoPen)
            colour.setAlpha(70)
            painter.setBrush(colour)
            painter.drawPolygon(_polygon(np.concatenate(one.front), window.scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_rectangle(self, painter: QPainter, track_id: str, box: ImageBox, window: Zoom) -> None:
        """What follows the 3D box is dashed; what a person corrected is not."""
        session, scale = self.view.desk.session, window.scale
        selected, mine = track_id == session.selected, box.source is Source.HUMAN
        colour = QColor(*self.view.desk.schema.colour(session.labels.tracks[track_id].category))
        style = Qt.PenStyle.SolidLine if mine else Qt.PenStyle.DashLine
        ink = CORRECTED if mine else WHITE if selected else colour
        painter.setPen(QPen(ink, 2.0 if selected else 1.5, style))
        place = QRectF(
            QPointF(box.left_px * scale, box.top_px * scale),
            QPointF(box.right_px * scale, box.bottom_px * scale),
        )
        painter.drawRect(place)
        if selected:
            half = QPointF(CORNER_PX / 2, CORNER_PX / 2)
            for corner in (place.topLeft(), place.topRight(), place.bottomLeft(), place.bottomRight()):
                painter.fillRect(QRectF(corner - half, corner + half), CORRECTED if mine else WHITE)

    def _paint_cross(self, painter: QPainter, ref: ImageRef, window: Zoom) -> None:
        desk = self.view.desk
        uv_px = None
        if self.place is not None:
            uv_px = self.view.outlines.place(ref, self.place, desk.session.time_ns)
        if uv_px is not None:
            x, y = window.scale * float(uv_px[0]), window.scale * float(uv_px[1])
            painter.setPen(QPen(CROSS, 1.6))
            painter.drawLine(QPointF(x - CROSS_PX, y), QPointF(x + CROSS_PX, y))
            painter.drawLine(QPointF(x, y - CROSS_PX), QPointF(x, y + CROSS_PX))


def _size(pixels: U8) -> Size:
    return Size(pixels.shape[1], pixels.shape[0])


def _place(window: Zoom, pixels: U8, size: Size) -> QRectF:
    """Where in the panel the part of the image is that is shown."""
    left, top, right, bottom = window.visible(_size(pixels), size)
    corner = window.to_panel((left - 0.5, top - 0.5), size)
    return QRectF(*corner, (right - left) * window.scale, (bottom - top) * window.scale)


def _polygon(line: F64, scale: float) -> QPolygonF:
    return QPolygonF([QPointF(x * scale, y * scale) for x, y in line])
