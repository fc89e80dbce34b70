"""The objects of a log, and what is known of the selected one."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fusion.labels import Track
from viewer.desk import Desk
from viewer.facts import NAMES, facts

COLUMNS = ("id", "class", "boxes", "here")


class ObjectModel(QAbstractTableModel):
    """The tracks of a log as rows."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.tracks: list[Track] = []

    def refresh(self) -> None:
        """Takes over what has changed."""
        tracks = list(self.desk.session.labels.tracks.values())
        if len(tracks) != len(self.tracks):
            self.beginResetModel()
            self.tracks = tracks
            self.endResetModel()
        elif tracks:
            self.tracks = tracks
            self.dataChanged.emit(self.index(0, 0), self.index(len(tracks) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of tracks."""
        return len(self.tracks)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of things that are said of each."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """What the columns say."""
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> object:
        """What stands in a cell."""
        track = self.tracks[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            here = "●" if self.desk.session.time_ns in track.annotations else ""
            return (track.id, track.category, len(track.annotations), here)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 1:
            return QColor(*self.desk.schema.colour(track.category))
        return None


class ObjectPanel(QWidget):
    """The list of objects, and below it the selected one."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.model = ObjectModel(desk)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        _header(self.table)
        self.table.clicked.connect(self._on_click)
        self.category = QComboBox()
        self.category.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.category.addItems([category.name for category in desk.schema.categories])
        self.category.activated.connect(self._on_category)
        self.labels = {name: QLabel("-") for name in NAMES}
        form = QFormLayout()
        form.addRow("class", self.category)
        for name, label in self.labels.items():
            form.addRow(name, label)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.table, 1)
        column.addLayout(form)

    def refresh(self) -> None:
        """Shows what has changed."""
        self.model.refresh()
        session = self.desk.session
        ids = [track.id for track in self.model.tracks]
        if session.selected in ids:
            self.table.selectRow(ids.index(session.selected))
        else:
            self.table.clearSelection()
        track = session.track
        self.category.setCurrentText(self.desk.category if track is None else track.category)
        for name, text in facts(self.desk).items():
            self.labels[name].setText(text)

    def _on_click(self, index: QModelIndex) -> None:
        track = self.model.tracks[index.row()]
        session = self.desk.session
        session.select(track.id)
        if session.time_ns not in track.annotations and track.annotations:
            there = [frame for t in track.annotations if (frame := session.frame_at(t)) is not None]
            if there:
                session.go_to(min(there, key=lambda number: abs(number - session.frame)))
        self.desk.look_at_selected()

    def _on_category(self) -> None:
        self.desk.classify(self.category.currentText())


def _header(table: QTableView) -> None:
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None:
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    if down is not None:
        down.hide()
        down.setDefaultSectionSize(20)
