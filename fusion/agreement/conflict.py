"""Where two people changed one thing differently, and what a merge made of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

from fusion.agreement.difference import What
from fusion.labels import Annotation, ImageBox, Json, Review, Source, Track

Side = Literal["a", "b"]
# From the weakest claim to the firmest.
FIRMNESS = (Source.AUTO, Source.INTERPOLATED, Source.IMPORTED, Source.HUMAN)


class Prefer(StrEnum):
    """Whose value a merge takes where both changed one thing; a locked box wins over one that is not.

    `NEWER` goes by the histories of the files; `LOCKED` takes what people are surer of: locked, then made by
    hand, imported, interpolated, automatic. Where that does not decide, the first set's value is taken.
    """

    A = "a"
    B = "b"
    NEWER = "newer"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Place:
    """What a conflict is about; None for what it is not about.

    Attributes:
        track_id: as the merged labels call it.
        timestamp_ns: the frame or image.
        camera: of a rectangle.
        review_id: of a review.
    """

    track_id: str | None = None
    timestamp_ns: int | None = None
    camera: str | None = None
    review_id: str | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """One thing, whole, as each set has it; None where it has none."""

    a: Json
    b: Json
    base: Json = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that both sets say differently.

    Attributes:
        what: a track, a box, a rectangle, a review, or what is said of the set.
        aspect: what about it, such as `box`, `category`, `attribute NAME`, `removed`.
        place: which one.
        words: how the two differ, in a line.
        versions: the thing in the sets.
        taken: the set whose value the merged labels have; both where they hold both.
        why: what decided: `locked`, `newer`, `firmer` or `preferred`.
        amount_m: how far boxes are apart.
    """

    what: What
    aspect: str
    place: Place
    words: str
    versions: Versions
    taken: Side | Literal["both"]
    why: str
    amount_m: float = 0.0

    @property
    def id(self) -> str:
        """The same whenever the same sets are merged."""
        told = repr((self.what.value, self.aspect, self.place, self.versions))
        return f"conflict-{hashlib.sha256(told.encode(errors='surrogatepass')).hexdigest()[:16]}"

    def as_dict(self) -> dict[str, Json]:
        """For JSON, what it is not about left out."""
        place = {name: value for name, value in asdict(self.place).items() if value is not None}
        said: dict[str, Json] = {"what": self.what.value, "aspect": self.aspect, **place}
        versions = {"a": self.versions.a, "b": self.versions.b, "base": self.versions.base}
        return {**said, "words": self.words, "taken": self.taken, "why": self.why, **versions}


def annotation_json(annotation: Annotation | None) -> Json:
    """A box with all that is said of it, exact."""
    if annotation is None:
        return None
    ego_from_box = annotation.box.ego_from_box
    return {
        "timestamp_ns": annotation.timestamp_ns,
        "center_m": ego_from_box.translation.tolist(),
        "rotation": ego_from_box.rotation.tolist(),
        "size_lwh_m": annotation.box.size_lwh_m.tolist(),
        "source": annotation.source.value,
        "score": annotation.score,
        "locked": annotation.locked,
        "attributes": dict(annotation.attributes),
    }


def image_box_json(box: ImageBox | None) -> Json:
    """A rectangle with all that is said of it."""
    if box is None:
        return None
    return {
        "sides_px": [box.left_px, box.top_px, box.right_px, box.bottom_px],
        "source": box.source.value,
        "score": box.score,
        "attributes": dict(box.attributes),
    }


def review_json(review: Review | None) -> Json:
    """A comment."""
    if review is None:
        return None
    return {name: getattr(review, name) for name in Review.__slots__}


def track_json(track: Track | None) -> Json:
    """A track with all that it holds."""
    if track is None:
        return None
    rectangles: list[Json] = [
        {"camera": camera, "timestamp_ns": t, "rectangle": image_box_json(box)}
        for (camera, t), box in track.image_boxes.items()
    ]
    return {
        "id": track.id,
        "category": track.category,
        "attributes": dict(track.attributes),
        "boxes": [annotation_json(annotation) for annotation in track.annotations.values()],
        "rectangles": rectangles,
    }
