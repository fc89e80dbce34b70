"""Numbers and attributes typed into the object panel, with real keys."""

import os

import numpy as np
import pytest

if not os.environ.get("DISPLAY"):
    pytest.skip("no screen: run under xvfb-run", allow_module_level=True)

from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QComboBox

from viewer.qt.forms import Field
from viewer.qt.window import MainWindow
from viewer.schema import Attribute, Category, Schema

LEFT, KEY = Qt.MouseButton.LeftButton, Qt.Key


@pytest.fixture
def form(window: MainWindow) -> MainWindow:
    session = window.desk.session
    session.select(next(t.id for t, _ in session.present() if t.category == "car"))
    return window


def type_into(field: Field, text: str) -> None:
    QTest.mouseClick(field, LEFT)
    field.selectAll()
    QTest.keyClicks(field, text)


def test_return_makes_one_edit_of_all_that_was_typed(form: MainWindow) -> None:
    session, fields = form.desk.session, form.objects.numbers.fields
    before = session.annotation.box
    type_into(fields["length"], "5.25")
    QTest.keyClick(fields["length"], KEY.Key_Tab)
    assert fields["width"].hasFocus()
    QTest.keyClicks(fields["width"], "2.5")
    assert session.store.history() == []
    QTest.keyClick(fields["width"], KEY.Key_Return)
    after = session.annotation
    assert (after.box.length_m, after.box.width_m) == (5.25, 2.5)
    assert not after.locked
    np.testing.assert_array_equal(after.box.ego_from_box.matrix, before.ego_from_box.matrix)
    assert [step.title for step in session.store.history()] == ["Set length, width"]
    assert not fields["width"].hasFocus()


def test_letters_in_a_field_are_text_and_afterwards_keys_again(form: MainWindow) -> None:
    session, field = form.desk.session, form.objects.numbers.fields["x"]
    type_into(field, "g4 ")
    assert session.frame == 0
    assert session.store.history() == []
    QTest.keyClick(field, KEY.Key_Return)
    assert "no number" in form.objects.numbers.problem.text()
    assert form.objects.numbers.problem.isVisible()
    assert field.hasFocus()
    assert session.store.history() == []
    QTest.keyClick(field, KEY.Key_Escape)
    assert session.selected is not None
    assert field.text() == f"{session.annotation.box.center[0]:.3f}"
    assert not form.objects.numbers.problem.isVisible()
    QTest.keyClick(form.canvas, KEY.Key_4)
    assert session.frame == 1


def test_attributes_are_asked_for_and_marked_until_they_are_given(form: MainWindow) -> None:
    desk = form.desk
    asked = (Attribute(name="doors", values=("open", "closed"), required=True), Attribute(name="plate"))
    desk.schema = Schema(categories=(Category(name="car", attributes=asked),))
    form.refresh()
    inputs, names = form.objects.attributes.inputs, form.objects.attributes._names
    assert "●" in names["doors"].text()
    doors = inputs["doors"]
    assert isinstance(doors, QComboBox)
    doors.setCurrentIndex(2)
    doors.activated.emit(2)
    assert desk.session.annotation.attributes["doors"] == "closed"
    assert "●" not in names["doors"].text()
    type_into(inputs["plate"], "ab 12")
    QTest.keyClick(inputs["plate"], KEY.Key_Return)
    assert desk.session.annotation.attributes["plate"] == "ab 12"
    assert QApplication.focusWidget() is not inputs["plate"]
    desk.session.select(None)
    assert form.objects.attributes.inputs == {}
