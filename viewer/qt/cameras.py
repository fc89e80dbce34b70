"""The images of a frame with the boxes in them."""

from __future__ import annotations

import time

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QWidget

from calib.types import F64
from viewer.desk import Desk
from viewer.images.image_view import BestView, ImageView
from viewer.images.outlines import Outline
from viewer.pointer import Button, Deed, Pointer
from viewer.qt.image_paint import INK, PAPER, ImagePainter
from viewer.qt.marks import BUTTONS, held_of
from viewer.scene.shown import Shown
from viewer.scene.views import Size
from viewer.strip.tiles import Tiles

BEST = "best view"
BEST_SHARE, GAP_PX, HOVER_MS = 0.24, 2, 30
MANY = 4


class CameraPanel(QWidget):
    """One image; a click selects or points, the wheel zooms, a double click enlarges the panel."""

    enlarged = pyqtSignal(str)

    def __init__(self, name: str, view: ImageView, shown: Shown) -> None:
        """Of one view of images."""
        super().__init__()
        self.name, self.view = name, view
        self.paint = ImagePainter(view, shown)
        self.setMouseTracking(True)
        self.setMinimumSize(60, 40)

    @property
    def seen(self) -> list[Outline]:
        """The boxes that are seen in it, the nearest last."""
        return self.view.seen

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draws the image, the boxes over it, and the name of the camera."""
        self.view.size = Size(self.width(), self.height())
        painter = QPainter(self)
        painter.fillRect(self.rect(), PAPER)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        there = self.view.source()
        if there is not None:
            self.paint.all(painter, *there, self.devicePixelRatioF())
        painter.setPen(INK)
        if there is None and self.view.desk.frame is not None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._why_empty())
        self._paint_title(painter)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Takes hold of something."""
        self._hand_over(event, Deed.PRESS)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Goes on with a drag, or hovers."""
        self._hand_over(event, Deed.MOVE)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Ends a drag, or a click."""
        self._hand_over(event, Deed.RELEASE)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Enlarges the panel, or makes it small again."""
        self.enlarged.emit(self.name)

    def leaveEvent(self, event: QEvent | None) -> None:
        """Nothing is under the mouse any more."""
        if not self.view.busy:
            self.view.on_pointer(Pointer(Deed.LEAVE, (0.0, 0.0)))

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zooms."""
        assert event is not None
        where, steps = event.position(), event.angleDelta().y() / 120
        held = held_of(event.modifiers())
        self.view.on_pointer(Pointer(Deed.WHEEL, (where.x(), where.y()), held=held, steps=steps))

    def to_panel(self, uv_px: F64) -> QPointF:
        """Where a pixel of the image is in the panel."""
        there = self.view.source()
        assert there is not None
        window = self.view.window(there[1])
        return QPointF(*window.to_panel((float(uv_px[0]), float(uv_px[1])), self.view.size))

    def _hand_over(self, event: QMouseEvent | None, deed: Deed) -> None:
        assert event is not None
        where, button = event.position(), BUTTONS.get(event.button(), Button.NONE)
        self.view.on_pointer(Pointer(deed, (where.x(), where.y()), button, held_of(event.modifiers())))

    def _why_empty(self) -> str:
        if not isinstance(self.view, BestView):
            return "no image"
        nothing = self.view.desk.session.annotation is None
        return "no box selected" if nothing else "no camera sees it"

    def _paint_title(self, painter: QPainter) -> None:
        title = self.name
        if isinstance(self.view, BestView) and (found := self.view.sight()) is not None:
            title = f"{self.name}: {found.image.camera}"
        metrics = painter.fontMetrics()
        painter.fillRect(QRectF(0, 0, metrics.horizontalAdvance(title) + 12, metrics.height() + 4), PAPER)
        painter.drawText(QPointF(6, metrics.ascent() + 2), title)


class CameraStrip(QWidget):
    """All cameras of a rig in rows, before them the best view of the selected object; one may fill all."""

    def __init__(self, desk: Desk, shown: Shown) -> None:
        """Of a desk, and of what it shows."""
        super().__init__()
        self.desk = desk
        self.panels = {
            name: CameraPanel(name, ImageView(desk, shown, name), shown)
            for name in desk.session.log.rig.cameras
        }
        self.best = CameraPanel(BEST, BestView(desk, shown, ""), shown)
        self._large: str | None = None
        for panel in self._all():
            panel.setParent(self)
            panel.enlarged.connect(self.enlarge)
        # The mouse moves more often than images need to follow it.
        self._hovering = QTimer(self)
        self._hovering.setSingleShot(True)
        self._hovering.setInterval(HOVER_MS)
        self._hovering.timeout.connect(self._hover)
        desk.pointer_moved = self._begin_hover

    def sizeHint(self) -> QSize:
        """High enough to see something; two rows of many cameras."""
        return QSize(900, 250 if len(self.panels) > MANY else 190)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Puts all panels in their places."""
        self._arrange()

    def enlarge(self, name: str) -> None:
        """Shows one panel alone, or all again."""
        self._large = None if self._large == name else name
        self._arrange()

    def refresh(self) -> None:
        """Draws all that can be seen again."""
        for panel in self._all():
            if panel.isVisible():
                panel.update()

    def _all(self) -> list[CameraPanel]:
        return [self.best, *self.panels.values()]

    def _arrange(self) -> None:
        for panel in self._all():
            panel.setVisible(self._large in (None, panel.name))
            if panel.name == self._large:
                panel.setGeometry(self.rect())
        if self._large is None and self.panels:
            aspect, count = self._aspect(), len(self.panels)
            place = Size((1 - BEST_SHARE) * self.width(), self.height())
            grid = Tiles.filling(place, count, aspect, 1.0)
            # What the images leave free beside them is the best view's.
            width = min(grid.size.width_px, aspect * grid.size.height_px)
            left = round(self.width() - grid.columns * width)
            self.best.setGeometry(0, 0, left - GAP_PX, self.height())
            for number, panel in enumerate(self.panels.values()):
                row, column = divmod(number, grid.columns)
                corner = round(left + column * width), round(row * grid.size.height_px)
                panel.setGeometry(*corner, round(width) - GAP_PX, round(grid.size.height_px) - GAP_PX)

    def _aspect(self) -> float:
        """Width over height of the images."""
        models = [camera.model for camera in self.desk.session.log.rig.cameras.values()]
        return max(model.width_px / model.height_px for model in models)

    def _begin_hover(self) -> None:
        if not self._hovering.isActive():
            self._hovering.start()

    def _hover(self) -> None:
        """A cross in every image that shows the place that the mouse points at in 3D."""
        there, place, began = self.desk.pointer, None, time.perf_counter()
        if there is not None and self.desk.panes.view(there[0]) is not None:
            place = self.desk.place_under(*there)
        # Where it takes long, for there are many points, it is done less often.
        self._hovering.setInterval(max(HOVER_MS, round(4000 * (time.perf_counter() - began))))
        for panel in self._all():
            panel.paint.place = place
        self.refresh()
