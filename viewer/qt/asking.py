"""Asking a person for one line of words."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget


class AskDialog(QDialog):
    """A line to type into, with words that are offered."""

    def __init__(self, title: str, offered: Sequence[str], parent: QWidget | None = None) -> None:
        """With a title."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(380)
        self.field = QComboBox()
        self.field.setEditable(True)
        self.field.addItems(list(offered))
        self.field.setCurrentText("")
        line = self.field.lineEdit()
        if line is not None:
            line.setPlaceholderText("type, or choose")
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(buttons)
        self.field.setFocus()

    @property
    def words(self) -> str | None:
        """What was said; None where nothing was."""
        text = " ".join(self.field.currentText().split())
        return text if text and self.result() == QDialog.DialogCode.Accepted else None


def ask(parent: QWidget, title: str, offered: Sequence[str]) -> str | None:
    """One line of words, or None."""
    dialog = AskDialog(title, offered, parent)
    dialog.exec()
    return dialog.words
