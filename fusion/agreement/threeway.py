"""Three-way merging of single values: what did each of two do to what both began with?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import eq
from typing import Generic, TypeVar

import numpy as np

from fusion.agreement.aspects import angles_rad
from fusion.agreement.conflict import FIRMNESS, Prefer, Side
from fusion.agreement.difference import Tolerance
from fusion.boxes import Box3D
from fusion.labels import Annotation, Json
from fusion.store import Entry
from fusion.store.rows import ANNOTATION, IMAGE_BOX, TRACK, Row

V = TypeVar("V")
History = Mapping[tuple[str, Row], Entry]


@dataclass(frozen=True, slots=True)
class Settled(Generic[V]):
    """A merged value, and which side's change it is: `same` where there is nothing to choose.

    Attributes:
        value: None where the thing is gone.
        origin: `same`, `a`, `b`, or `conflict`.
    """

    value: V
    origin: str


def three_way(base: V, a: V, b: V, equal: Callable[[V, V], bool]) -> Settled[V | None]:
    """A change by one side is taken, equal changes are taken once, different changes are a conflict."""
    if equal(a, b):
        return Settled(a, "same")
    if equal(a, base):
        return Settled(b, "b")
    if equal(b, base):
        return Settled(a, "a")
    return Settled(None, "conflict")


@dataclass(frozen=True, slots=True)
class Chooser:
    """Decides conflicts.

    Attributes:
        prefer: whose value is taken where no lock decides.
        history_a: who made what in the first set.
        history_b: the same in the second.
        b_ids: what the second set calls tracks that have another id in the merged labels.
    """

    prefer: Prefer
    history_a: History
    history_b: History
    b_ids: Mapping[str, str]

    def side(self, table: str, key: Row, a: object = None, b: object = None) -> tuple[Side, str]:
        """Which side's value is taken, and why; `key` with the merged labels' id of the track."""
        if isinstance(a, Annotation) or isinstance(b, Annotation):
            firm_a, firm_b = firmness(a), firmness(b)
            if firm_a[0] != firm_b[0]:
                return ("a" if firm_a[0] else "b"), "locked"
            if self.prefer is Prefer.LOCKED and firm_a != firm_b:
                return ("a" if firm_a > firm_b else "b"), "firmer"
        if self.prefer is Prefer.NEWER:
            return self._newer(table, key)
        return ("b" if self.prefer is Prefer.B else "a"), "preferred"

    def _newer(self, table: str, key: Row) -> tuple[Side, str]:
        entry_a = self.history_a.get((table, key))
        entry_b = self.history_b.get((table, key_under(self.b_ids, table, key)))
        if entry_b is not None and (entry_a is None or entry_b.time_ns > entry_a.time_ns):
            return "b", "newer"
        return "a", "preferred" if entry_a is None else "newer"


def key_under(ids: Mapping[str, str], table: str, key: Row) -> Row:
    """The key of a row where tracks have other ids."""
    named = table in (TRACK.name, ANNOTATION.name, IMAGE_BOX.name)
    return (ids.get(key[0], key[0]), *key[1:]) if named else key


def firmness(thing: object) -> tuple[bool, int]:
    """How sure people are of a box: locked or not, then by who made it; nothing is the least."""
    if not isinstance(thing, Annotation):
        return False, -1
    return thing.locked, FIRMNESS.index(thing.source)


def merged_attributes(
    base: Mapping[str, Json], a: Mapping[str, Json], b: Mapping[str, Json], side: Side
) -> tuple[dict[str, Json], dict[str, str]]:
    """Attributes of both, name by name; those that differ from one side's, and `conflict`, by name."""
    merged: dict[str, Json] = {}
    origins: dict[str, str] = {}
    for name in dict.fromkeys((*a, *b)):
        was, one, other = ((name in values, values.get(name)) for values in (base, a, b))
        settled = three_way(was, one, other, eq)
        origins[name] = settled.origin
        there, value = settled.value or (one if side == "a" else other)
        if there:
            merged[name] = value
    return merged, {name: origin for name, origin in origins.items() if origin != "same"}


def merged_annotation(
    base: Annotation | None, a: Annotation | None, b: Annotation | None, side: Side, tolerance: Tolerance
) -> tuple[Annotation | None, str, list[str]]:
    """The box of both, what it comes from, and which aspects are in conflict.

    Where one side's box is locked or made by a firmer source and both are in the same place, that one
    is taken: nothing is lost.
    """
    whole = three_way(base, a, b, equal_annotations)
    if whole.origin != "conflict":
        return whole.value, whole.origin, []
    if a is None or b is None:
        return (a if side == "a" else b), "conflict", ["removed"]
    core = three_way(base, a, b, _equal_cores).value or _same_place(a, b, tolerance)
    attributes, origins = merged_attributes(
        {} if base is None else base.attributes, a.attributes, b.attributes, side
    )
    clashes = [f"attribute {name}" for name, origin in origins.items() if origin == "conflict"]
    if core is None:
        core, clashes = (a if side == "a" else b), ["box", *clashes]
    return replace(core, attributes=attributes), "conflict" if clashes else "both", clashes


def equal_annotations(a: Annotation | None, b: Annotation | None) -> bool:
    """Whether two boxes say the same, to the bit."""
    if a is None or b is None:
        return a is b
    return a is b or (_equal_cores(a, b) and dict(a.attributes) == dict(b.attributes))


def _equal_cores(a: Annotation | None, b: Annotation | None) -> bool:
    if a is None or b is None:
        return a is b
    said_a, said_b = (a.source, a.score, a.locked), (b.source, b.score, b.locked)
    return said_a == said_b and equal_boxes(a.box, b.box)


def equal_boxes(a: Box3D, b: Box3D) -> bool:
    """Whether two boxes are one, to the bit."""
    here, there = a.ego_from_box, b.ego_from_box
    return a is b or bool(
        (a.length_m, a.width_m, a.height_m) == (b.length_m, b.width_m, b.height_m)
        and np.array_equal(here.translation, there.translation)
        and np.array_equal(here.rotation, there.rotation)
    )


def _same_place(a: Annotation, b: Annotation, tolerance: Tolerance) -> Annotation | None:
    """The firmer of two annotations of one box; None where the boxes, or their scores, differ."""
    turned_rad = angles_rad(a.box.ego_from_box.rotation[None], b.box.ego_from_box.rotation[None])
    apart = (
        float(np.linalg.norm(a.box.center - b.box.center)) > tolerance.length_m
        or float(turned_rad[0]) > tolerance.angle_rad
        or float(np.abs(a.box.size_lwh_m - b.box.size_lwh_m).max()) > tolerance.length_m
    )
    if apart:
        return None
    if firmness(a) != firmness(b):
        return max(a, b, key=firmness)
    scores_agree = a.score == b.score or (
        a.score is not None and b.score is not None and abs(a.score - b.score) <= tolerance.score
    )
    return a if scores_agree else None
