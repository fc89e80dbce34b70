"""Every action by its name, and a sheet of all keys."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from viewer.actions import Action

COLUMNS = 3


class Palette(QDialog):
    """Type a part of what you want to do, press Return."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        """Of some actions."""
        super().__init__(parent)
        self.setWindowTitle("What do you want to do?")
        self.setModal(True)
        self.resize(420, 360)
        self.field, self.found = QLineEdit(), QListWidget()
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self.found)
        self._all = list(actions)
        self._listed: list[QAction] = []
        self.field.textChanged.connect(self._search)
        self.field.returnPressed.connect(self._run)
        self.found.itemActivated.connect(self._run)
        self._search("")

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        self._listed = [one for one in self._all if all(word in one.text().casefold() for word in words)]
        self.found.clear()
        self.found.addItems([f"{one.text()}\t{one.shortcut().toString()}" for one in self._listed])
        self.found.setCurrentRow(0)

    def _run(self) -> None:
        row = self.found.currentRow()
        self.accept()
        if 0 <= row < len(self._listed):
            self._listed[row].trigger()


class CheatSheet(QFrame):
    """All keys, over the window, as long as a key is held."""

    def __init__(self, actions: tuple[Action, ...], parent: QWidget) -> None:
        """Of some actions."""
        super().__init__(parent)
        self.setStyleSheet(
            "background: rgba(18, 20, 26, 235); color: #d6dae2; padding: 18px; border-radius: 8px;"
        )
        self._grid = QGridLayout(self)
        self._grid.setHorizontalSpacing(28)
        self.list(actions)
        self.hide()

    def list(self, actions: tuple[Action, ...]) -> None:
        """Shows the keys of some actions."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        menus: dict[str, list[Action]] = {}
        for action in actions:
            menus.setdefault(action.menu, []).append(action)
        for number, (menu, listed) in enumerate(menus.items()):
            rows = "".join(
                f"<tr><td align='right'><b>{escape(' '.join(action.keys) or '-')}</b>&nbsp;</td>"
                f"<td>{action.title}</td></tr>"
                for action in listed
            )
            block = QLabel(f"<b>{menu}</b><table>{rows}</table>")
            block.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(block, number // COLUMNS, number % COLUMNS)

    def appear(self) -> None:
        """In the middle of the window."""
        self.adjustSize()
        window = self.parentWidget()
        if window is not None:
            self.move((window.width() - self.width()) // 2, max((window.height() - self.height()) // 2, 0))
        self.show()
        self.raise_()
