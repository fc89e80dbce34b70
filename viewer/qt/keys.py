"""Changing the keys, with a warning where one would mean two things."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.actions import Action, conflicts, with_keys
from viewer.presets import RESERVED, keys_of

_RESERVED = {key.casefold() for key in RESERVED}
CLASH = QColor(200, 70, 60)
HELP = "Several keys of one action stand apart by spaces: Ctrl+Z F. Nothing takes all keys away."


class KeysDialog(QDialog):
    """All actions with their keys, to be typed over."""

    def __init__(self, actions: tuple[Action, ...], parent: QWidget | None = None) -> None:
        """Of a table of actions."""
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(620, 640)
        self.given = actions
        self.field = QLineEdit()
        self.field.setPlaceholderText("a part of a name")
        self.field.textChanged.connect(self._search)
        self.table = QTableWidget(len(actions), 3)
        self.table.setHorizontalHeaderLabels(["menu", "action", "keys"])
        for row, action in enumerate(actions):
            for column, text in enumerate((action.menu, action.title, " ".join(action.keys))):
                item = QTableWidgetItem(text)
                if column < 2:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self.table.setItem(row, column, item)
        across, down = self.table.horizontalHeader(), self.table.verticalHeader()
        if across is not None:
            across.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        if down is not None:
            down.hide()
        self.warning = QLabel(HELP)
        self.warning.setWordWrap(True)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Save | kinds.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column_of = QVBoxLayout(self)
        for widget in (self.field, self.table, self.warning, self.buttons):
            column_of.addWidget(widget)
        self.table.itemChanged.connect(lambda item: self._check())

    @property
    def actions_now(self) -> tuple[Action, ...]:
        """The actions with the keys that stand in the table."""
        keys = {action.id: self._keys(row) for row, action in enumerate(self.given)}
        return with_keys(self.given, keys)

    def changed_keys(self) -> dict[str, list[str]]:
        """What is other than it was, as the file of keys says it."""
        return keys_of(self.given, self.actions_now)

    def _keys(self, row: int) -> tuple[str, ...]:
        item = self.table.item(row, 2)
        return tuple(item.text().split()) if item is not None else ()

    def _check(self) -> None:
        """Marks what would mean two things, and what is no key."""
        clashes = conflicts(self.actions_now)
        bad = {id for ids in clashes.values() for id in ids}
        told = [f"{key} would mean {' and '.join(ids)}" for key, ids in clashes.items()]
        for row, action in enumerate(self.given):
            strange = [key for key in self._keys(row) if QKeySequence(key).toString() == ""]
            told += [f"{key} is no key" for key in strange]
            taken = [key for key in self._keys(row) if key.casefold() in _RESERVED]
            told += [f"{key} belongs to the window" for key in taken]
            strange += taken
            item = self.table.item(row, 2)
            if item is not None:
                self.table.blockSignals(True)
                wrong = action.id in bad or bool(strange)
                item.setData(Qt.ItemDataRole.ForegroundRole, CLASH if wrong else None)
                self.table.blockSignals(False)
        self.warning.setText("\n".join(told) or HELP)
        self.warning.setStyleSheet(f"color: {CLASH.name()};" if told else "")
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        if save is not None:
            save.setEnabled(not told)

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        for row, action in enumerate(self.given):
            there = f"{action.menu} {action.title} {' '.join(action.keys)}".casefold()
            self.table.setRowHidden(row, not all(word in there for word in words))
