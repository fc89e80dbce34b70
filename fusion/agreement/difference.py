"""What differs between two label sets, thing by thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from calib.errors import CrosslabelError
from fusion.labels import Json, Source


class What(StrEnum):
    """The things that label sets hold."""

    TRACK = "track"
    BOX = "box"
    RECTANGLE = "rectangle"
    REVIEW = "review"
    SET = "label set"


class Deed(StrEnum):
    """What became of a thing from the first set to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is so small that it is no difference.

    Attributes:
        length_m: of centres and sizes.
        angle_rad: of orientations.
        pixels: of the sides of rectangles.
        score: of confidences.

    Raises:
        CrosslabelError: one is negative or no number.
    """

    length_m: float = 1e-6
    angle_rad: float = 1e-6
    pixels: float = 1e-6
    score: float = 1e-6

    def __post_init__(self) -> None:
        for value in (self.length_m, self.angle_rad, self.pixels, self.score):
            if not value >= 0:
                raise CrosslabelError(f"a tolerance must be 0 or more, not {value}")


@dataclass(frozen=True, slots=True)
class Aspect:
    """What about a thing differs.

    Attributes:
        name: such as `centre`, `heading`, `size`, `locked`, `category`, `attribute NAME`.
        before: in the first set; None where there is none.
        after: in the second.
        amount: how much it differs: metres, radians or pixels; None where that says nothing.
    """

    name: str
    before: Json
    after: Json
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Who made a thing what it is.

    Attributes:
        source: what the box or rectangle says of itself.
        author: of the last edit that touched it, where the set keeps a history.
        time_ns: when that was, since 1970 in UTC.
    """

    source: Source | None = None
    author: str | None = None
    time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes:
        what: a track, a box, a rectangle, a review, or the set itself.
        deed: added, removed or changed.
        a_id: the track in the first set, if it is about one there.
        b_id: the track in the second.
        timestamp_ns: the frame or the image, if it is about one.
        camera: of a rectangle.
        review_id: of a review.
        aspects: what about it differs; of a track that one set lacks, what it holds.
        made_a: who made it what it is in the first set.
        made_b: in the second; of what was removed, who removed it, where that is known.
    """

    what: What
    deed: Deed
    a_id: str | None = None
    b_id: str | None = None
    timestamp_ns: int | None = None
    camera: str | None = None
    review_id: str | None = None
    aspects: tuple[Aspect, ...] = ()
    made_a: Made | None = None
    made_b: Made | None = None

    def amount(self, name: str) -> float | None:
        """How much one aspect differs; None where it does not."""
        return next((aspect.amount for aspect in self.aspects if aspect.name == name), None)

    def as_dict(self) -> dict[str, object]:
        """For JSON, what is not there left out."""
        aspects = [
            {"name": x.name, "before": x.before, "after": x.after}
            | ({} if x.amount is None else {"amount": x.amount})
            for x in self.aspects
        ]
        values: Mapping[str, object] = {
            "what": self.what.value,
            "deed": self.deed.value,
            "a_id": self.a_id,
            "b_id": self.b_id,
            "timestamp_ns": self.timestamp_ns,
            "camera": self.camera,
            "review_id": self.review_id,
            "aspects": aspects,
            "made_a": _made(self.made_a),
            "made_b": _made(self.made_b),
        }
        return {name: value for name, value in values.items() if value not in (None, [], {})}


def _made(made: Made | None) -> dict[str, object] | None:
    if made is None:
        return None
    said = {"source": made.source and made.source.value, "author": made.author, "time_ns": made.time_ns}
    return {name: value for name, value in said.items() if value is not None}
