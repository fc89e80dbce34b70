"""What a merge says of itself in the labels: where they come from, and comments where sets disagreed."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fusion.agreement.conflict import Conflict, Prefer
from fusion.agreement.difference import What
from fusion.agreement.merge import RECORD, Merged
from fusion.agreement.threeway import History
from fusion.labels import Json, LabelSet, Review
from fusion.store.changes import changes_between, to_json

AUTHOR = "crosslabel merge"
PINNED_PER_TRACK = 10


@dataclass(frozen=True, slots=True)
class Given:
    """One of the label sets that are compared or merged.

    Attributes:
        name: of its file, without the folders above.
        labels: what it says.
        author: whose file it is; empty where it does not say.
        history: who made what, as `LabelStore.last_edits` tells.
        model_run: what was noted last of the automation that worked on it.
    """

    name: str
    labels: LabelSet
    author: str = ""
    history: History = field(default_factory=dict)
    model_run: Mapping[str, Json] | None = None

    def as_dict(self) -> dict[str, Json]:
        """For JSON, with a hash of what it says."""
        return {"file": self.name, "author": self.author, "sha256": content_hash(self.labels)}


def content_hash(labels: LabelSet) -> str:
    """SHA-256 of what labels say, in whatever file and order they lie."""
    rows = sorted(to_json([change]) for change in changes_between(LabelSet(), labels))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def recorded(merged: Merged, a: Given, b: Given, base: Given | None, prefer: Prefer) -> LabelSet:
    """The merged labels with a record of the merge in their attributes and a comment for each conflict.

    The record holds the whole of every value that the labels do not; records of earlier merges stay in it.
    """
    record: dict[str, Json] = {
        "a": a.as_dict(),
        "b": b.as_dict(),
        "base": None if base is None else base.as_dict(),
        "prefer": prefer.value,
        "boxes": dict(merged.counts),
        "joined": dict(merged.joined),
        "renamed": dict(merged.renamed),
        "given_up": [list(place) for place in merged.given_up],
        "conflicts": [conflict.as_dict() for conflict in merged.conflicts],
    }
    earlier: list[Json] = []
    for labels in (a.labels, b.labels):
        before = labels.attributes.get(RECORD)
        if before is not None and before not in earlier:
            earlier.append(before)
    if earlier:
        record["earlier"] = earlier
    pinned = {review.id: review for review in comments(merged.conflicts, a, b)}
    return replace(
        merged.labels,
        attributes={**merged.labels.attributes, RECORD: record},
        reviews={**merged.labels.reviews, **pinned},
    )


def comments(conflicts: Iterable[Conflict], a: Given, b: Given) -> Iterator[Review]:
    """A comment pinned on each thing in conflict; of a track's boxes on those that differ most."""
    boxes: defaultdict[str | None, list[Conflict]] = defaultdict(list)
    for conflict in conflicts:
        if conflict.what is What.BOX:
            boxes[conflict.place.track_id].append(conflict)
        elif conflict.what is not What.REVIEW:
            yield _comment(conflict, a, b)
    for listed in boxes.values():
        worst_first = sorted(listed, key=lambda conflict: -conflict.amount_m)
        more = len(listed) - PINNED_PER_TRACK
        for place, conflict in enumerate(worst_first[:PINNED_PER_TRACK]):
            rest = f" {more} more boxes of this track differ." if place == 0 and more > 0 else ""
            yield _comment(conflict, a, b, rest)


def _comment(conflict: Conflict, a: Given, b: Given, rest: str = "") -> Review:
    place = conflict.place
    if conflict.taken == "both":
        text = f"Merge: {conflict.words}{rest}"
    else:
        taken, other = (a, b) if conflict.taken == "a" else (b, a)
        left = conflict.versions.b if conflict.taken == "a" else conflict.versions.a
        text = f"Merge: {conflict.words}. Taken: {taken.name} ({conflict.why})."
        text += f" {other.name} has {_in_words(left)}.{rest}"
    camera = f" ({place.camera})" if place.camera else ""
    return Review(conflict.id, text + camera, AUTHOR, "open", place.track_id, place.timestamp_ns)


def _in_words(version: Json) -> str:
    """One version of a thing in a line."""
    if version is None:
        return "nothing"
    if not isinstance(version, dict):
        return repr(version)
    if "center_m" in version:
        return _box_in_words(version)
    if "sides_px" in version:
        return f"a rectangle {version['sides_px']}"
    boxes = version.get("boxes")
    return f"{len(boxes)} boxes" if isinstance(boxes, list) else "something else"


def _box_in_words(version: dict[str, Json]) -> str:
    center, size, rotation = (version[name] for name in ("center_m", "size_lwh_m", "rotation"))
    assert isinstance(center, list)
    assert isinstance(size, list)
    assert isinstance(rotation, list)
    forward = [row[0] for row in rotation if isinstance(row, list)]
    yaw_deg = math.degrees(math.atan2(float(str(forward[1])), float(str(forward[0]))))
    where = " ".join(f"{value:.2f}" for value in center)
    how_large = " x ".join(f"{value:.2f}" for value in size)
    locked = ", locked" if version["locked"] else ""
    return f"a box at {where} m, {how_large} m, {yaw_deg:.1f} degrees, {version['source']}{locked}"
