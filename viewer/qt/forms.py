"""Fields in which one types what keys and mouse do not say: numbers of a box, attributes of an object."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QToolButton, QWidget

from calib.errors import CrosslabelError
from viewer.answers import Question, answered, questions
from viewer.desk import Desk
from viewer.numbers import NAMES, YAW, NumberError, numbers_of, with_numbers
from viewer.schema import Attribute

COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
BAD, PENDING = "border: 1px solid #e5534b", "border: 1px solid #d9a441"
NARROW_PX = 56
WARNING = "color: #e5534b"


class Field(QLineEdit):
    """One line of text. While it has the focus its keys type; Return enters, Esc leaves."""

    entered = pyqtSignal()
    left = pyqtSignal()
    stepped = pyqtSignal(int)

    def __init__(self) -> None:
        """Takes the focus only from the mouse, so that keys go on meaning actions."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumWidth(NARROW_PX)

    def sizeHint(self) -> QSize:
        """As narrow as a number."""
        return QSize(NARROW_PX + 12, super().sizeHint().height())

    def event(self, event: QEvent | None) -> bool:
        """Keys that are actions elsewhere are text here."""
        if isinstance(event, QKeyEvent):
            plain = not event.modifiers() & COMMANDS
            if event.type() == QEvent.Type.ShortcutOverride and plain:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                self.stepped.emit(1 if event.key() == Qt.Key.Key_Tab else -1)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Return enters, Esc leaves."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event is not None and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class NumberForm(QWidget):
    """Centre, size and yaw of the selected box; Return makes one edit of all that was typed."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.fields = {name: Field() for name in NAMES}
        self.problem = _problem()
        self._shown: dict[str, str] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        for number, (name, field) in enumerate(self.fields.items()):
            unit = "degrees" if name == YAW else "metres"
            field.setToolTip(f"{name} in {unit}; Return applies, Esc does not")
            row, column = divmod(number, 3)
            grid.addWidget(QLabel(name[0] if name != YAW else name), row, 2 * column)
            grid.addWidget(field, row, 2 * column + 1)
            field.entered.connect(self._enter)
            field.left.connect(self._leave)
            field.stepped.connect(self._step)
            field.textEdited.connect(self._mark)
        grid.addWidget(self.problem, 3, 0, 1, 6)

    def refresh(self) -> None:
        """Shows the box as it is; what is being typed stays as long as the box does."""
        annotation = self.desk.session.annotation
        shown = dict.fromkeys(NAMES, "") if annotation is None else numbers_of(annotation.box)
        if shown != self._shown:
            self._shown = shown
            self._reset()
        self.setEnabled(annotation is not None)

    def typed(self) -> dict[str, str]:
        """The numbers that were changed."""
        return {
            name: field.text() for name, field in self.fields.items() if field.text() != self._shown[name]
        }

    def _enter(self) -> None:
        annotation, typed = self.desk.session.annotation, self.typed()
        if annotation is None or not typed:
            self._leave()
            return
        try:
            box = with_numbers(annotation.box, typed)
            self.desk.session.put_box(box, f"Set {', '.join(typed)}")
        except CrosslabelError as error:
            self._refuse(error)
        else:
            self._leave()

    def _refuse(self, error: CrosslabelError) -> None:
        _say(self.problem, str(error))
        if isinstance(error, NumberError):
            self.fields[error.name].setStyleSheet(BAD)
            self.fields[error.name].setFocus()
            self.fields[error.name].selectAll()

    def _leave(self) -> None:
        self._reset()
        for field in self.fields.values():
            field.clearFocus()

    def _step(self, by: int) -> None:
        fields = list(self.fields.values())
        here = next((k for k, field in enumerate(fields) if field.hasFocus()), 0)
        following = fields[(here + by) % len(fields)]
        following.setFocus()
        following.selectAll()

    def _mark(self) -> None:
        _say(self.problem, "")
        for name, field in self.fields.items():
            field.setStyleSheet(PENDING if field.text() != self._shown[name] else "")

    def _reset(self) -> None:
        for name, field in self.fields.items():
            field.setText(self._shown[name])
            field.setCursorPosition(0)
        self._mark()


class AttributeForm(QWidget):
    """What the schema asks of the selected object; what must be said and is not stands out."""

    def __init__(self, desk: Desk) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.problem = _problem()
        self.inputs: dict[str, QComboBox | Field] = {}
        self._asked: tuple[Attribute, ...] = ()
        self._names: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)

    def refresh(self) -> None:
        """Asks what is to be asked of what is selected, and shows what was said."""
        session = self.desk.session
        track = session.track
        listed = () if track is None else questions(self.desk.schema, track, session.annotation)
        asked = tuple(one.attribute for one in listed)
        if asked != self._asked:
            self._build(asked)
        for one in listed:
            self._show(one)

    def _build(self, asked: tuple[Attribute, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self.problem:
                widget.hide()
                widget.deleteLater()
        self._asked, self.inputs, self._names = asked, {}, {}
        for row, attribute in enumerate(asked):
            self._names[attribute.name] = QLabel(attribute.name)
            self.inputs[attribute.name] = self._input(attribute)
            self._grid.addWidget(self._names[attribute.name], row, 0)
            self._grid.addWidget(self.inputs[attribute.name], row, 1)
            if attribute.of == "box":
                self._grid.addWidget(self._everywhere(attribute), row, 2)
        self._grid.addWidget(self.problem, len(asked), 0, 1, 3)

    def _input(self, attribute: Attribute) -> QComboBox | Field:
        if attribute.values:
            box = QComboBox()
            box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            box.activated.connect(lambda _: self._answer(attribute))
            return box
        field = Field()
        field.entered.connect(lambda: self._answer(attribute))
        field.entered.connect(field.clearFocus)
        field.left.connect(field.clearFocus)
        field.left.connect(lambda: field.setModified(False))
        field.left.connect(self.refresh)
        return field

    def _everywhere(self, attribute: Attribute) -> QToolButton:
        button = QToolButton()
        button.setText("all")
        button.setToolTip("Says it of all boxes of the object")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._answer(attribute, everywhere=True))
        return button

    def _show(self, one: Question) -> None:
        name, shown = one.attribute.name, self.inputs[one.attribute.name]
        self._names[name].setText(f"{name} ●" if one.open else name)
        self._names[name].setStyleSheet(WARNING if one.open else "")
        self._names[name].setToolTip("must be said" if one.open else "")
        if isinstance(shown, QComboBox):
            wanted = ["-", *one.choices]
            if [shown.itemText(k) for k in range(shown.count())] != wanted:
                shown.clear()
                shown.addItems(wanted)
            shown.setCurrentText(one.answer or "-")
        elif not (shown.hasFocus() and shown.isModified()):
            shown.setText(one.answer)

    def _answer(self, attribute: Attribute, everywhere: bool = False) -> None:
        given = self.inputs[attribute.name]
        text = given.currentText() if isinstance(given, QComboBox) else given.text().strip()
        if isinstance(given, QComboBox) and given.currentIndex() == 0:
            text = ""
        elif isinstance(given, Field):
            given.setModified(False)
        _say(self.problem, "")
        try:
            edit = answered(self.desk.session, attribute, text, everywhere)
            if edit is not None:
                self.desk.session.apply(edit)
        except CrosslabelError as error:
            _say(self.problem, str(error))
            self.refresh()


def _problem() -> QLabel:
    label = QLabel()
    label.setStyleSheet(WARNING)
    label.setWordWrap(True)
    label.hide()
    return label


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
