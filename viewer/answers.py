"""What a person says of the selected object beside its box, as the schema asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fusion.edits import Edit, Group, PutAnnotations, SetTrack
from fusion.labels import Annotation, Attributes, Track
from viewer.schema import Attribute, Schema
from viewer.session import Session


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the schema asks of an object.

    Attributes:
        attribute: what is asked.
        answer: what was said; empty where nothing was.
    """

    attribute: Attribute
    answer: str

    @property
    def open(self) -> bool:
        """Whether something must be said still."""
        return self.attribute.required and not self.answer

    @property
    def choices(self) -> Sequence[str]:
        """What may be said, and what was said although it may not."""
        values = self.attribute.values
        return values if not self.answer or self.answer in values else (*values, self.answer)


def questions(schema: Schema, track: Track, annotation: Annotation | None) -> tuple[Question, ...]:
    """What is asked of an object in a frame; without a box there, only what is asked of it as a whole."""
    found = []
    for attribute in schema.category(track.category).attributes:
        of_track = attribute.of == "track"
        if of_track or annotation is not None:
            said = track.attributes if of_track or annotation is None else annotation.attributes
            found.append(Question(attribute, _text(said, attribute.name)))
    return tuple(found)


def answered(session: Session, attribute: Attribute, text: str, everywhere: bool = False) -> Edit | None:
    """The edit that says something of the selected object, or of its box in the frame that is shown.

    Args:
        session: whose selected track it is.
        attribute: what is said.
        text: what it is; nothing takes back what was said.
        everywhere: says it of all boxes of the track.
    """
    track, annotation = session.track, session.annotation
    if track is None:
        return None
    title = f"{attribute.name}: {text or 'not said'}"
    if attribute.of == "track":
        said = _with(track.attributes, attribute.name, text)
        return Group((SetTrack(track.id, attributes=said),), title) if said != track.attributes else None
    there = [annotation] if annotation is not None else []
    changed = tuple(
        replace(one, attributes=said)
        for one in (track.annotations.values() if everywhere else there)
        if (said := _with(one.attributes, attribute.name, text)) != one.attributes
    )
    return Group((PutAnnotations(track.id, changed),), title) if changed else None


def _text(said: Attributes, name: str) -> str:
    value = said.get(name)
    return "" if value is None else str(value)


def _with(said: Attributes, name: str, text: str) -> Attributes:
    if _text(said, name) == text:
        return said
    rest = {key: value for key, value in said.items() if key != name}
    return rest | {name: text} if text else rest
