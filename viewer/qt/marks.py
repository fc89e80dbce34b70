"""Marks that mean the same in every panel, and what the mouse is called in Qt."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from fusion.labels import Annotation, Source
from viewer.pointer import Button, Held

COLOURS = {
    Source.HUMAN: QColor(110, 190, 255),
    Source.IMPORTED: QColor(150, 160, 180),
    Source.AUTO: QColor(120, 200, 140),
    Source.INTERPOLATED: QColor(90, 110, 135),
}
HERE, CONFIRMED = QColor(255, 210, 90), QColor(255, 210, 90)
DIAMOND_PX = 4.0
BUTTONS = {
    Qt.MouseButton.LeftButton: Button.LEFT,
    Qt.MouseButton.MiddleButton: Button.MIDDLE,
    Qt.MouseButton.RightButton: Button.RIGHT,
}
KEYS = {
    Qt.KeyboardModifier.ShiftModifier: Held.SHIFT,
    Qt.KeyboardModifier.ControlModifier: Held.CTRL,
    Qt.KeyboardModifier.AltModifier: Held.ALT,
}


def held_of(modifiers: Qt.KeyboardModifier) -> Held:
    """The keys that are held."""
    held = Held.NOTHING
    for key, mine in KEYS.items():
        if modifiers & key:
            held |= mine
    return held


def colour_of(annotation: Annotation) -> QColor:
    """Gold for what is confirmed, otherwise of who made it."""
    return CONFIRMED if annotation.locked else COLOURS[annotation.source].lighter(125)


def diamond(painter: QPainter, place: QPointF, annotation: Annotation) -> None:
    """Draws the mark of a key frame."""
    painter.save()
    painter.translate(place)
    painter.rotate(45)
    painter.setPen(QPen(QColor(20, 23, 29), 1))
    painter.setBrush(colour_of(annotation))
    side_px = 2 * DIAMOND_PX
    painter.drawRect(QRectF(-side_px / 2, -side_px / 2, side_px, side_px))
    painter.restore()
