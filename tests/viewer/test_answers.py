"""What a person says of an object beside its box."""

from dataclasses import replace

import pytest

from fusion.labels import Source
from viewer.answers import answered, questions
from viewer.desk import Desk
from viewer.schema import Attribute, Category, Schema

DOORS = Attribute(name="doors", values=("open", "closed"), required=True)
PARKED = Attribute(name="parked", of="track", values=("yes", "no"), required=True)
NOTE = Attribute(name="note")
SCHEMA = Schema(categories=(Category(name="car", attributes=(DOORS, PARKED, NOTE)), Category(name="van")))


@pytest.fixture
def car(desk: Desk) -> Desk:
    desk.session.select(next(t.id for t, _ in desk.session.present() if t.category == "car"))
    return desk


def asked(desk: Desk) -> dict[str, tuple[str, bool]]:
    found = questions(SCHEMA, desk.session.track, desk.session.annotation)
    return {one.attribute.name: (one.answer, one.open) for one in found}


def test_what_must_be_said_is_open_until_it_is(car: Desk) -> None:
    assert asked(car) == {"doors": ("", True), "parked": ("", True), "note": ("", False)}
    car.session.apply(answered(car.session, DOORS, "open"))
    car.session.apply(answered(car.session, PARKED, "no"))
    assert asked(car) == {"doors": ("open", False), "parked": ("no", False), "note": ("", False)}
    assert car.session.annotation.attributes["doors"] == "open"
    assert car.session.track.attributes["parked"] == "no"
    assert [step.title for step in car.session.store.history()] == ["doors: open", "parked: no"]


def test_an_answer_belongs_to_its_box_and_neither_moves_nor_claims_it(car: Desk) -> None:
    before = car.session.annotation
    car.session.apply(answered(car.session, DOORS, "open"))
    after = car.session.annotation
    assert replace(after, attributes=before.attributes) == before
    assert after.source is Source.IMPORTED or after.source is before.source
    car.session.go_to(1)
    assert asked(car)["doors"] == ("", True)
    assert asked(car)["parked"] == ("", True)


def test_one_answer_for_all_boxes_is_one_step(car: Desk) -> None:
    car.session.apply(answered(car.session, DOORS, "closed", everywhere=True))
    assert {a.attributes["doors"] for a in car.session.track.annotations.values()} == {"closed"}
    assert answered(car.session, DOORS, "closed", everywhere=True) is None
    car.session.undo()
    assert not any("doors" in a.attributes for a in car.session.track.annotations.values())


def test_an_answer_is_taken_back(car: Desk) -> None:
    car.session.apply(answered(car.session, NOTE, "dented"))
    car.session.apply(answered(car.session, NOTE, ""))
    assert "note" not in car.session.annotation.attributes
    assert answered(car.session, NOTE, "") is None


def test_what_the_schema_does_not_know_is_shown_all_the_same(car: Desk) -> None:
    car.session.apply(answered(car.session, DOORS, "ajar"))
    doors = questions(SCHEMA, car.session.track, car.session.annotation)[0]
    assert doors.choices == ("open", "closed", "ajar")


def test_without_a_box_only_the_object_is_asked_of(car: Desk) -> None:
    found = questions(SCHEMA, car.session.track, None)
    assert [one.attribute.name for one in found] == ["parked"]
    car.session.select(None)
    assert answered(car.session, PARKED, "yes") is None
