"""What a person should know about the frame, over the picture."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QLabel, QWidget

MOST = 3
EDGE_PX, PADDING_PX, SHARE = 10, 24, 0.65


class Notice(QLabel):
    """Some lines in the lower left corner of a widget; hidden where there is nothing to say."""

    def __init__(self, parent: QWidget) -> None:
        """Over a widget."""
        super().__init__(parent)
        self.setStyleSheet(
            "background: rgba(70, 52, 14, 225); color: #ffdf9a; border: 1px solid #8a6a22;"
            "border-radius: 5px; padding: 5px 9px;"
        )
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setWordWrap(True)
        parent.installEventFilter(self)
        self.hide()

    def say(self, lines: Sequence[str]) -> None:
        """Shows some lines, or nothing."""
        text = "\n".join(lines[:MOST])
        if len(lines) > MOST:
            text += f"\nand {len(lines) - MOST} more"
        if text != self.text():
            self.setText(text)
            self._settle()
        self.setVisible(bool(lines))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stays in its corner when the widget below changes its size."""
        if event is not None and event.type() is QEvent.Type.Resize:
            self._settle()
        return super().eventFilter(watched, event)

    def _settle(self) -> None:
        parent = self.parentWidget()
        if parent is None or not self.text():
            return
        longest = max(self.fontMetrics().horizontalAdvance(line) for line in self.text().splitlines())
        width = min(longest + PADDING_PX, round(SHARE * parent.width()))
        self.resize(width, self.heightForWidth(width))
        self.move(EDGE_PX, parent.height() - self.height() - EDGE_PX)
