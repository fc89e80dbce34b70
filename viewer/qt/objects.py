"""The objects of a log, and what is known of the selected one."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fusion.labels import Annotation, LabelSet, Track
from viewer.desk import Desk
from viewer.facts import facts
from viewer.frames.cache import Cloud
from viewer.qt.forms import AttributeForm, NumberForm
from viewer.qt.line import Line
from viewer.tracks.rows import nearest_frame

COLUMNS = ("id", "class", "boxes", "here")
# Place, size and heading stand in fields of their own.
NARROW_PX = 46
FACTS = ("track", "source", "points", "look")


class ObjectModel(QAbstractTableModel):
    """The tracks of a log as rows."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.tracks: list[Track] = []
        self._made_of: tuple[LabelSet, int] | None = None

    def refresh(self) -> None:
        """Takes over what has changed."""
        session = self.desk.session
        labels, time_ns = session.labels, session.time_ns
        if self._made_of is not None and self._made_of[0] is labels and self._made_of[1] == time_ns:
            return
        self._made_of = (labels, time_ns)
        tracks = list(labels.tracks.values())
        if len(tracks) != len(self.tracks):
            self.beginResetModel()
            self.tracks = tracks
            self.endResetModel()
        elif tracks:
            self.tracks = tracks
            self.dataChanged.emit(self.index(0, 0), self.index(len(tracks) - 1, len(COLUMNS) - 1))

    def row_of(self, track_id: str | None) -> int | None:
        """Where a track stands."""
        return next((row for row, track in enumerate(self.tracks) if track.id == track_id), None)

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
        self.numbers, self.attributes = NumberForm(desk), AttributeForm(desk)
        self.labels = {name: Line("-") for name in FACTS}
        self._told: tuple[Track | None, Annotation | None, Cloud] | None = None
        form = QFormLayout()
        for name, label in self.labels.items():
            form.addRow(name, label)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.table, 1)
        column.addWidget(self.category)
        column.addWidget(self.numbers)
        column.addWidget(self.attributes)
        column.addLayout(form)

    def refresh(self) -> None:
        """Shows what has changed."""
        self.model.refresh()
        session = self.desk.session
        row, current = self.model.row_of(session.selected), self.table.selectionModel()
        if row is None:
            self.table.clearSelection()
        elif current is None or not current.isRowSelected(row):
            self.table.selectRow(row)
        track = session.track
        self.category.setCurrentText(self.desk.category if track is None else track.category)
        self.numbers.refresh()
        self.attributes.refresh()
        self._tell(track, session.annotation, self.desk.cloud)

    def _tell(self, track: Track | None, annotation: Annotation | None, cloud: Cloud) -> None:
        made_of = (track, annotation, cloud)
        if self._told is None or any(a is not b for a, b in zip(made_of, self._told, strict=True)):
            self._told = made_of
            for name, text in facts(self.desk).items():
                if name in self.labels:
                    self.labels[name].setText(text)

    def _on_click(self, index: QModelIndex) -> None:
        track = self.model.tracks[index.row()]
        session = self.desk.session
        session.select(track.id)
        there = nearest_frame(session.log, track, session.frame)
        if there is not None:
            session.go_to(there)
        self.desk.look_at_selected()

    def _on_category(self) -> None:
        self.desk.classify(self.category.currentText())


def _header(table: QTableView) -> None:
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None:
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (COLUMNS.index("boxes"), COLUMNS.index("here")):
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            across.resizeSection(column, NARROW_PX)
    if down is not None:
        down.hide()
        down.setDefaultSectionSize(20)
