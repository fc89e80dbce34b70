"""What is left to look at, how far everything is, and what was said."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QSize, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fusion.checks import Finding, Severity
from fusion.checks.rules import RULES
from fusion.labels import Review
from viewer.desk import Desk
from viewer.qt.line import Line
from viewer.review.reviews import RESOLVED, Place, State

COLUMNS = ("object", "what", "frame")
WIDTHS_PX = {0: 80, 2: 46}
COLOURS = {
    Severity.MANDATORY: QColor(229, 83, 75),
    Severity.WARNING: QColor(226, 165, 46),
    Severity.INFO: QColor(94, 156, 220),
}
TITLES = {rule.id: rule.title for rule in RULES}
TOLD_LINES = 3
ROLE = Qt.ItemDataRole


class FindingModel(QAbstractTableModel):
    """Findings as rows, those about one object together under its name."""

    def __init__(self, desk: Desk) -> None:
        """None yet."""
        super().__init__()
        self.desk = desk
        self.listed: list[Finding] = []

    def put(self, findings: list[Finding]) -> bool:
        """Takes over what is left; whether that is anything else."""
        if findings is self.listed:
            return False
        self.beginResetModel()
        self.listed = findings
        self.endResetModel()
        return True

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
        row, column = index.row(), index.column()
        finding = self.listed[row]
        if role == ROLE.DisplayRole:
            return self._text(row, finding, column)
        if role == ROLE.DecorationRole and column == 1:
            return COLOURS[finding.severity]
        if role == ROLE.ToolTipRole:
            return explained(finding)
        if role == ROLE.TextAlignmentRole and column > 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _text(self, row: int, finding: Finding, column: int) -> str:
        if column == 0:
            again = row > 0 and finding.track_id and self.listed[row - 1].track_id == finding.track_id
            return "" if again else subject(self.desk, finding)
        if column == 2:
            frames = frames_of(self.desk, finding)
            return f"{min(frames) + 1}" + ("+" if len(frames) > 1 else "") if frames else ""
        return finding.words


class ReviewPanel(QWidget):
    """Findings on top, states and comments below."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.summary, self.check = Line(), QPushButton("Check the log")
        self.check.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.check.setToolTip("Reads sweeps and images, and says what speaks against the labels")
        self.check.clicked.connect(lambda: desk.reviewing.checking.check())
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.told.setFixedHeight(TOLD_LINES * self.told.fontMetrics().lineSpacing() + 4)
        self.model, self.table = FindingModel(desk), QTableView()
        _prepare(self.table, self.model)
        self.table.clicked.connect(lambda index: desk.reviewing.go_to(self.model.listed[index.row()]))
        self.table.installEventFilter(self)
        self.track_state, self.frame_state = self._state_box(True), self._state_box(False)
        self.comments = QListWidget()
        self.comments.setMaximumHeight(90)
        self.comments.hide()
        self.comments.setWordWrap(True)
        self.comments.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.comments.setToolTip("A click goes there, a double click resolves it or opens it again")
        self.comments.itemClicked.connect(self._go_to_comment)
        self.comments.itemDoubleClicked.connect(lambda item: desk.reviewing.resolve(item.data(ROLE.UserRole)))
        self._said: list[Review] = []
        states = QHBoxLayout()
        for name, box in (("track", self.track_state), ("frame", self.frame_state)):
            states.addWidget(QLabel(name))
            states.addWidget(box, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        top = QHBoxLayout()
        top.addWidget(self.summary, 1)
        top.addWidget(self.check)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self.told)
        column.addLayout(states)
        column.addWidget(self.comments)

    def sizeHint(self) -> QSize:
        """Wide enough for a finding in a line."""
        return QSize(330, 400)

    def showEvent(self, event: QShowEvent | None) -> None:
        """What changed while nobody looked."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Shows what has changed."""
        review = self.desk.reviewing
        findings = review.findings()
        if self.isVisible() and self.model.put(findings):  # a list that nobody sees costs as much
            # Else it is done while painting, and the window is drawn twice.
            self.table.executeDelayedItemsLayout()
        self.summary.setText(_summary(self.desk, findings))
        self.check.setEnabled(not review.checking.checking)
        self._show(review.current)
        selected = self.desk.session.selected
        self.track_state.setEnabled(selected is not None)
        self.track_state.setCurrentText(
            review.state(Place(selected)) if selected is not None else State.TO_DO
        )
        self.frame_state.setCurrentText(review.state(Place(None, self.desk.session.time_ns)))
        self._list_comments()

    def _show(self, current: Finding | None) -> None:
        row = next((k for k, one in enumerate(self.model.listed) if one is current), -1)
        if row < 0:
            self.table.clearSelection()
        elif (chosen := self.table.selectionModel()) is None or not chosen.isRowSelected(row):
            self.table.selectRow(row)
        text = "" if current is None else explained(current)
        if text != self.told.text():
            self.told.setText(text)
            self.told.setToolTip(text)

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
        self.comments.setVisible(bool(said))

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


def subject(desk: Desk, finding: Finding) -> str:
    """What a finding is about, in a word."""
    track = desk.session.labels.tracks.get(finding.track_id or "")
    if finding.track_id is not None:
        named = track is None or track.id.startswith(track.category)
        return finding.track_id if named or track is None else f"{track.category} {track.id}"
    return finding.camera or ("(no box)" if finding.place is not None else "(frame)")


def frames_of(desk: Desk, finding: Finding) -> list[int]:
    """The frames a finding is about."""
    found = (desk.session.frame_at(t) for t in finding.timestamps_ns)
    return [frame for frame in found if frame is not None]


def explained(finding: Finding) -> str:
    """All that is said of a finding."""
    title = TITLES.get(finding.rule, finding.rule)
    known = finding.value is not None and finding.limit is not None
    limit = f" ({finding.value:.3g}, limit {finding.limit:.3g})" if known else ""
    fix = f"\nCtrl+Return: {finding.fix.title}" if finding.fix is not None else ""
    said = f"{finding.rule} {title} ({finding.severity}): {finding.words}{limit}"
    return f"{said}, about {finding.repair_s:.0f} s{fix}"


def _summary(desk: Desk, findings: list[Finding]) -> str:
    checking = desk.reviewing.checking
    if not findings:
        nothing = "No findings" if checking.complete else "No findings in the labels alone"
        return nothing if checking.on else ""
    minutes = sum(one.repair_s for one in findings) / 60
    objects = len({one.track_id or one.id for one in findings})
    many = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    return f"{many}, {objects} {'object' if objects == 1 else 'objects'}, {minutes:.0f} min"


def _prepare(table: QTableView, model: FindingModel) -> None:
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    across, down = table.horizontalHeader(), table.verticalHeader()
    if across is not None:
        across.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for column, width in WIDTHS_PX.items():
            across.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            across.resizeSection(column, width)
    if down is not None:
        down.hide()
        down.setDefaultSectionSize(20)
