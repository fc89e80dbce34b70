"""The 3D view and the three flat ones, in one widget of OpenGL."""

from __future__ import annotations

import moderngl
from PyQt6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPen, QWheelEvent
from PyQt6.QtOpenGLWidgets import QOpenGLWidget
from PyQt6.QtWidgets import QWidget

from calib.types import F32, U8
from viewer.desk import Desk
from viewer.gl import Renderer
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Pointer
from viewer.qt.marks import BUTTONS, held_of
from viewer.scene.handles import knob_m
from viewer.scene.shapes import Faces, Lines
from viewer.scene.shown import Shown
from viewer.scene.views import Flat, Side, Size, clip_from_ego

COLUMN_SHARE, LEAST_COLUMN_PX = 0.28, 160
HEAD_PX, HEAD_DEG = 12.0, 25.0
PANES = (MAIN, *(side.value for side in Side))


class Canvas(QOpenGLWidget):
    """Draws the panes of a desk and hands it what the mouse does in them."""

    def __init__(self, desk: Desk, shown: Shown, parent: QWidget | None = None) -> None:
        """Of a desk, and of what it shows."""
        super().__init__(parent)
        self.desk, self.shown = desk, shown
        self.renderer: Renderer | None = None
        self._colours: U8 | None = None
        self._near: tuple[F32, U8] | None = None
        self._drawing: tuple[Lines, Faces] | None = None
        self._grabbed: str | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(480, 320)

    def initializeGL(self) -> None:
        """Compiles programs; the context is there now."""
        self.renderer = Renderer(moderngl.create_context(require=330))
        self._colours = self._near = self._drawing = None

    def resizeGL(self, width: int, height: int) -> None:
        """Tells the desk how large its panes are."""
        for pane, rectangle in self.rectangles().items():
            self.desk.panes.resize(pane, Size(rectangle.width(), rectangle.height()))

    def rectangles(self) -> dict[str, QRectF]:
        """Where each pane is."""
        column = max(COLUMN_SHARE * self.width(), LEAST_COLUMN_PX)
        left, third = self.width() - column, self.height() / 3
        found = {MAIN: QRectF(0, 0, left - 1, self.height())}
        for row, side in enumerate(Side):
            found[side] = QRectF(left, row * third, column, third - (row < 2))
        return found

    def paintGL(self) -> None:
        """Draws everything."""
        if self.renderer is None:
            return
        self._upload(self.renderer)
        ratio = self.devicePixelRatioF()
        target = self.renderer.context.detect_framebuffer(self.defaultFramebufferObject())
        self.renderer.clear(target, (round(self.width() * ratio), round(self.height() * ratio)))
        for pane, rectangle in self.rectangles().items():
            view = self.desk.panes.view(pane)
            if view is not None:
                matrix = clip_from_ego(view, self.desk.panes.size(pane))
                point_px = self.desk.display.point_px * ratio
                place = self._in_target(rectangle, ratio)
                self.renderer.draw(target, place, matrix, point_px, near=isinstance(view, Flat))
        self._paint_over()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begins a drag in the pane under the mouse."""
        self._hand_over(event, Deed.PRESS)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """As a press."""
        self._hand_over(event, Deed.PRESS)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Goes on with a drag, or hovers."""
        self._hand_over(event, Deed.MOVE)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Ends a drag."""
        self._hand_over(event, Deed.RELEASE)

    def leaveEvent(self, event: QEvent | None) -> None:
        """Nothing is under the mouse any more."""
        if not self.desk.busy:
            self.desk.on_pointer(MAIN, Pointer(Deed.LEAVE, (0.0, 0.0)))

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zooms."""
        assert event is not None
        pane = self._pane_at(event.position())
        if pane is not None:
            steps = event.angleDelta().y() / 120
            where = self._inside(pane, event.position())
            self.desk.on_pointer(
                pane, Pointer(Deed.WHEEL, where, held=held_of(event.modifiers()), steps=steps)
            )

    def _hand_over(self, event: QMouseEvent | None, deed: Deed) -> None:
        assert event is not None
        if deed is Deed.PRESS:
            self._grabbed = self._pane_at(event.position())
        pane = self._grabbed or self._pane_at(event.position())
        if pane is not None:
            where, button = self._inside(pane, event.position()), BUTTONS.get(event.button(), Button.NONE)
            self.desk.on_pointer(pane, Pointer(deed, where, button, held_of(event.modifiers())))
        if deed is Deed.RELEASE:
            self._grabbed = None

    def _pane_at(self, place: QPointF) -> str | None:
        return next((pane for pane, box in self.rectangles().items() if box.contains(place)), None)

    def _inside(self, pane: str, place: QPointF) -> tuple[float, float]:
        corner = self.rectangles()[pane].topLeft()
        return place.x() - corner.x(), place.y() - corner.y()

    def _upload(self, renderer: Renderer) -> None:
        """Fills the buffers with what has changed."""
        points, colours = self.shown.points()
        if colours is not self._colours:
            renderer.put_points(points, colours)
            self._colours = colours
        near = self.shown.near_points()
        if near is not self._near:
            renderer.put_near_points(*near)
            self._near = near
        lines, faces = drawing = self.shown.drawing()
        if drawing is not self._drawing:
            renderer.put_lines(lines)
            renderer.put_faces(faces)
            self._drawing = drawing

    def _in_target(self, rectangle: QRectF, ratio: float) -> tuple[int, int, int, int]:
        below = self.height() - rectangle.bottom()
        return (
            round(rectangle.left() * ratio),
            round(below * ratio),
            round(rectangle.width() * ratio),
            round(rectangle.height() * ratio),
        )

    def _paint_over(self) -> None:
        """Writes and draws what is no part of the scene."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 9))
        for pane, rectangle in self.rectangles().items():
            painter.save()
            painter.translate(rectangle.topLeft())
            painter.setPen(QColor(150, 158, 175))
            painter.drawText(QPointF(10, 18), pane.upper() if pane != MAIN else "3D")
            view = self.desk.panes.view(pane)
            if isinstance(view, Flat):
                self._paint_knob(painter, view, pane)
            elif view is None:
                painter.drawText(QPointF(10, rectangle.height() / 2), "no box selected")
            painter.restore()
            painter.setPen(QPen(QColor(52, 58, 70), 1))
            painter.drawRect(rectangle)
        self._paint_arrow(painter)
        if self.desk.frame is None:
            painter.setPen(QColor(220, 224, 232))
            painter.drawText(self.rectangles()[MAIN], Qt.AlignmentFlag.AlignCenter, "reading the frame …")
        painter.end()

    def _paint_knob(self, painter: QPainter, view: Flat, pane: str) -> None:
        annotation, size = self.desk.session.annotation, self.desk.panes.size(pane)
        place = None if annotation is None else knob_m(view, annotation.box)
        if place is None:
            return
        x_px = size.width_px / 2 + (place[0] - view.off_m[0]) / view.m_per_px
        y_px = size.height_px / 2 - (place[1] - view.off_m[1]) / view.m_per_px
        painter.setBrush(QColor(255, 255, 255))
        painter.drawEllipse(QPointF(x_px, y_px), 5, 5)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_arrow(self, painter: QPainter) -> None:
        if self.desk.arrow is None:
            return
        pane, start, end = self.desk.arrow
        corner = self.rectangles()[pane].topLeft()
        painter.setPen(QPen(QColor(255, 200, 60), 2))
        shaft = QLineF(QPointF(*end) + corner, QPointF(*start) + corner)
        painter.drawLine(shaft)
        for turn_deg in (-HEAD_DEG, HEAD_DEG):
            barb = QLineF(shaft)
            barb.setLength(min(HEAD_PX, shaft.length()))
            barb.setAngle(shaft.angle() + turn_deg)
            painter.drawLine(barb)
