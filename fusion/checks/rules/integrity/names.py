"""I2: a class that is not known. I3: an attribute that is missing or wrong. I8: one that the others have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from calib.types import I64
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, track_found
from fusion.checks.rule import Limits, rule
from fusion.checks.schema import Asked
from fusion.edits import Edit, Group, PutAnnotations
from fusion.labels import Attributes


@rule("I2", "unknown class", Severity.MANDATORY, chance=0.95)
def unknown_class(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The project names its classes, and this is none of them."""
    allowed = facts.schema.classes
    for number, track in enumerate(facts.tracks):
        if allowed and track.category not in allowed and len(track.annotations):
            yield track_found(facts, number, f"{track.category!r} is no class of the project")


@rule("I3", "attribute not said", Severity.MANDATORY, chance=0.95)
def not_said(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The project asks for it, and it is missing or has a value that the project does not know."""
    for name, asked in facts.schema.attributes.items():
        for number, track in enumerate(facts.tracks):
            if not track.annotations or (asked.classes and track.category not in asked.classes):
                continue
            if asked.of == "track":
                wrong = _wrong(track.attributes, name, asked)
                if wrong:
                    yield track_found(facts, number, wrong, about=name)
                continue
            start = int(facts.starts[number])
            told = [_wrong(a.attributes, name, asked) for a in track.annotations.values()]
            rows = start + np.flatnonzero([wrong is not None for wrong in told])
            if len(rows):
                words = f"{told[rows[0] - start]} {frames_said(rows)}"
                fix = _as_the_others(facts, rows, number, name, asked)
                yield boxes_found(facts, rows, words, fix=fix, about=name)


@rule(
    "I8",
    "attribute left out",
    Severity.WARNING,
    chance=0.7,
    whole=True,
    share=0.9,
    least_boxes=30,
    least_tracks=8,
    most_tracks=2,
)
def left_out(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Nearly all other boxes of the class say it, and these do not, though nobody asks for it by name."""
    names = [track.category for track in facts.tracks]
    for category in sorted(set(names)):
        mine = np.flatnonzero(np.array([name == category for name in names])[facts.owners])
        if len(mine) < limits["least_boxes"]:
            continue
        said = Counter(name for row in mine for name in facts.annotations[row].attributes)
        for name, count in sorted(said.items()):
            if limits["share"] * len(mine) <= count < len(mine):
                silent = np.zeros(len(facts), dtype=np.bool_)
                silent[[row for row in mine if name not in facts.annotations[row].attributes]] = True
                for rows in facts.episodes(silent):
                    yield boxes_found(facts, rows, f"{name} is not said {frames_said(rows)}", about=name)
    yield from _left_out_of_tracks(facts, limits)


def _left_out_of_tracks(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The same of what is said of tracks as a whole."""
    there = [number for number, track in enumerate(facts.tracks) if track.annotations]
    for category in sorted({facts.tracks[number].category for number in there}):
        mine = [number for number in there if facts.tracks[number].category == category]
        if len(mine) < limits["least_tracks"]:
            continue
        said = Counter(name for number in mine for name in facts.tracks[number].attributes)
        for name, count in sorted(said.items()):
            if 0 < len(mine) - count <= limits["most_tracks"]:
                for number in mine:
                    if name not in facts.tracks[number].attributes:
                        yield track_found(facts, number, f"{name} is not said of the track", about=name)


def _as_the_others(facts: Facts, rows: I64, number: int, name: str, asked: Asked) -> Edit | None:
    """Says of some boxes what is said of all others of the track, where those agree."""
    said = {
        str(a.attributes[name]): a.attributes[name]
        for a in facts.annotations[facts.rows(number)]
        if _wrong(a.attributes, name, asked) is None
    }
    if len(said) != 1:
        return None
    (value,) = said.values()
    boxes = (facts.annotations[row] for row in rows)
    put = tuple(replace(a, attributes={**a.attributes, name: value}) for a in boxes)
    return Group((PutAnnotations(facts.tracks[number].id, put),), f"{name}: {value}, as in the other boxes")


def _wrong(attributes: Attributes, name: str, asked: Asked) -> str | None:
    said = attributes.get(name)
    if said in (None, ""):
        return f"{name} is not said"
    if asked.values and said not in asked.values:
        return f"{name} is {said!r}, which the project does not know"
    return None
