"""What is left to look at, how far everything is, and what was said."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QSize, Qt
from PyQt6.QtGui import QColor, QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fusion.checks import Finding, Severity
from fusion.labels import Review
from viewer.desk import Desk
from viewer.review.reviews import RESOLVED, Place, State

COLUMNS = ("object", "what", "s")
COLOURS = {
    Severity.MANDATORY: QColor(229, 83, 75),
    Severity.WARNING: QColor(226, 165, 46),
    Severity.INFO: QColor(94, 156, 220),
}
ROLE = Qt.ItemDataRole


class FindingModel(QAbstractTableModel):
    """Findings as rows."""

    def __init__(self) -> None:
        """None yet."""
        super().__init__()
        self.listed: list[Finding] = []

    def put(self, findings: list[Finding]) -> None:
        """Takes over what is left."""
        if findings is not self.listed:
            self.beginResetModel()
            self.listed = findings
            self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of findings."""
        return len(self.listed)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of things that are said of each."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """What the columns say."""
        if role == ROLE.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> object:
        """What stands in a cell."""
        finding = self.listed[index.row()]
        if role == ROLE.DisplayRole:
            return (finding.track_id or "", finding.words, f"{finding.repair_s:.0f}")[index.column()]
        if role == ROLE.ForegroundRole and index.column() == 0:
            return COLOURS[finding.severity]
        if role == ROLE.ToolTipRole:
            limit = "" if finding.limit is None else f" ({finding.value:.2f}, wanted {finding.limit:.2f})"
            fix = "" if finding.fix is None else "\nCtrl+Return repairs it"
            return f"{finding.words}{limit}{fix}"
        if role == ROLE.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


class ReviewPanel(QWidget):
    """Findings on top, states and comments below."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.model, self.table = FindingModel(), QTableView()
        _prepare(self.table, self.model)
        self.table.clicked.connect(lambda index: desk.reviewing.go_to(self.model.listed[index.row()]))
        self.table.installEventFilter(self)
        self.track_state, self.frame_state = self._state_box(True), self._state_box(False)
        self.comments = QListWidget()
        self.comments.setMaximumHeight(110)
        self.comments.setWordWrap(True)
        self.comments.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.comments.setToolTip("A click goes there, a double click resolves it or opens it again")
        self.comments.itemClicked.connect(self._go_to_comment)
        self.comments.itemDoubleClicked.connect(lambda item: desk.reviewing.resolve(item.data(ROLE.UserRole)))
        self._said: list[Review] = []
        form = QFormLayout()
        form.addRow("track", self.track_state)
        form.addRow("frame", self.frame_state)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.summary)
        column.addWidget(self.table, 1)
        column.addLayout(form)
        column.addWidget(QLabel("comments"))
        column.addWidget(self.comments)

    def sizeHint(self) -> QSize:
        """Wide enough for a finding in a line."""
        return QSize(330, 400)

    def refresh(self) -> None:
        """Shows what has changed."""
        review = self.desk.reviewing
        findings = review.findings()
        self.model.put(findings)
        minutes = sum(one.repair_s for one in findings) / 60
        self.summary.setText(
            f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'}, about {minutes:.0f} min"
            if findings
            else "No findings."
        )
        known = None if review.current is None else review.current.id
        row = next((k for k, one in enumerate(findings) if one.id == known), -1) if known else -1
        self.table.selectRow(row) if row >= 0 else self.table.clearSelection()
        selected = self.desk.session.selected
        self.track_state.setEnabled(selected is not None)
        self.track_state.setCurrentText(
            review.state(Place(selected)) if selected is not None else State.TO_DO
        )
        self.frame_state.setCurrentText(review.state(Place(None, self.desk.session.time_ns)))
        self._list_comments()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Return in the list does what it does everywhere: it accepts the finding."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                return self.desk.reviewing.accept()
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.desk.reviewing.next(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
        return super().eventFilter(watched, event)

    def _list_comments(self) -> None:
        said = self.desk.reviewing.comments()
        if said == self._said:
            return
        self._said = said
        self.comments.clear()
        for review in said:
            item = QListWidgetItem(f"{self._where(review)}: {review.text}  ({review.author})")
            item.setData(ROLE.UserRole, review)
            if review.state == RESOLVED:
                font = item.font()
                font.setStrikeOut(True)
                item.setFont(font)
            self.comments.addItem(item)

    def _where(self, review: Review) -> str:
        frame = None if review.timestamp_ns is None else self.desk.session.frame_at(review.timestamp_ns)
        at = "" if review.timestamp_ns is None else f"frame {'?' if frame is None else frame + 1}"
        return " ".join(part for part in (f"track {review.track_id}" if review.track_id else "", at) if part)

    def _go_to_comment(self, item: QListWidgetItem) -> None:
        review: Review = item.data(ROLE.UserRole)
        self.desk.reviewing.show(Place(review.track_id, review.timestamp_ns))
        self.desk.look_at_selected()

    def _state_box(self, of_track: bool) -> QComboBox:
        box = QComboBox()
        box.addItems([state.value for state in State])
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.textActivated.connect(lambda text: self._put_state(State(text), of_track))
        return box

    def _put_state(self, state: State, of_track: bool) -> None:
        session = self.desk.session
        place = Place(session.selected) if of_track else Place(None, session.time_ns)
        self.desk.reviewing.put_state(state, place)
        self.refresh()


def _prepare(table: QTableView, model: FindingModel) -> None:
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None:
        across.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 92), (2, 30)):
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            across.resizeSection(column, width)
    if down is not None:
        down.hide()
        down.setDefaultSectionSize(20)
