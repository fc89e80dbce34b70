"""Which objects, and which logs, are worth labelling next: those of which little is sure, and the rare ones.

Pool-based active learning: Settles, 2009. Uncertainty is what the labels say of themselves, and what an
object's neighbours say of its class (Brodley and Friedl, 1999, found wrong labels so).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.similar.neighbours import MOST_EXACT, nearest
from autolabel.similar.pool import ObjectId, Pool, class_of
from calib.types import F64
from fusion.labels import CONFIDENCE, LOOK, Annotation, Source, Track

NEIGHBOURS = 8
WORTHIEST = 0.1


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the labels of one track say of themselves.

    Attributes:
        unsure: mean chance that a box wants an edit, or how undecided its score is; None if nothing tells.
        looks: share of its boxes that want a look.
        boxes: how many there are.
        reason: the most frequent reason why, in words.
    """

    unsure: float | None
    looks: float
    boxes: int
    reason: str

    @classmethod
    def of(cls, track: Track) -> Doubt:
        """From confidence and look of `crosslabel autolabel`, or from a detector's scores."""
        told = [value for a in track.annotations.values() if (value := _unsure(a)) is not None]
        reasons = [str(a.attributes[LOOK]) for a in track.annotations.values() if a.attributes.get(LOOK)]
        words = sorted(set(reasons), key=lambda reason: (-reasons.count(reason), reason))
        count = len(track.annotations)
        unsure = float(np.mean(told)) if told else None
        return cls(unsure, len(reasons) / max(count, 1), count, words[0] if words else "")


def _unsure(annotation: Annotation) -> float | None:
    """Of one box, 0..1; nothing of what a person drew or confirmed can be unsure."""
    if annotation.locked or annotation.source == Source.HUMAN:
        return 0.0
    confidence = annotation.attributes.get(CONFIDENCE)
    if isinstance(confidence, int | float):
        return 1.0 - min(max(float(confidence), 0.0), 1.0)
    if annotation.score is None:
        return None
    return 1.0 - abs(2.0 * min(max(annotation.score, 0.0), 1.0) - 1.0)


@dataclass(frozen=True, slots=True)
class Worth:
    """How much looking at one object is worth, and why.

    Attributes:
        id: which.
        category: its class.
        worth: 0..1: half of what is doubtful, half of how rare it is.
        doubt: what its labels say.
        odd: share of its neighbours that are of another class.
        rare: share of all objects whose neighbours are nearer than its own.
        like: its nearest neighbour, if it has one.
    """

    id: ObjectId
    category: str
    worth: float
    doubt: Doubt
    odd: float
    rare: float
    like: ObjectId | None


def worths(pool: Pool, doubts: Mapping[ObjectId, Doubt], most_exact: int = MOST_EXACT) -> list[Worth]:
    """All objects of a pool, the most worthwhile first.

    Raises:
        CrosslabelError: faiss is missing.
    """
    distances, rows = nearest(pool.vectors.rows, NEIGHBOURS, most_exact)
    away = distances.mean(axis=1) if distances.shape[1] else np.zeros(len(pool))
    rare = _shares_below(away)
    classes = np.array([class_of(category) for category in pool.categories])
    found = []
    for row, id in enumerate(pool.ids):
        others = rows[row][rows[row] >= 0]
        odd = float((classes[others] != classes[row]).mean()) if len(others) else 0.0
        doubt = doubts[id]
        worth = (max(doubt.unsure or 0.0, odd) + float(rare[row])) / 2
        like = pool.ids[others[0]] if len(others) else None
        found.append(Worth(id, pool.categories[row], worth, doubt, odd, float(rare[row]), like))
    return sorted(found, key=lambda one: (-one.worth, one.id))


def _shares_below(values: F64) -> F64:
    """(N,) share of the others that are smaller, 0..1."""
    if len(values) < 2:
        return np.zeros(len(values))
    return np.asarray(np.searchsorted(np.sort(values), values, side="left") / (len(values) - 1))


@dataclass(frozen=True, slots=True)
class LogWorth:
    """How much labelling one log is worth.

    Attributes:
        log: its name.
        worth: sum over those of its objects that are among the worthiest tenth of all.
        finds: how many those are.
        tracks: how many it has.
        frames: how long it is.
        unsure: mean over its tracks, of those that tell; None where none does.
        rare: mean over its tracks.
    """

    log: str
    worth: float
    finds: int
    tracks: int
    frames: int
    unsure: float | None
    rare: float

    @property
    def worth_per_frame(self) -> float:
        """What a frame of work brings."""
        return self.worth / max(self.frames, 1)


def log_worths(ranked: Sequence[Worth], frames: Mapping[str, int]) -> list[LogWorth]:
    """All logs, the most worthwhile first.

    Args:
        ranked: of `worths`.
        frames: how long each log is, by name.
    """
    best = {one.id for one in ranked[: max(1, round(WORTHIEST * len(ranked)))]}
    by_log: dict[str, list[Worth]] = {log: [] for log in frames}
    for one in ranked:
        by_log[one.id.log].append(one)
    found = []
    for log, own in by_log.items():
        finds = [one for one in own if one.id in best]
        told = [one.doubt.unsure for one in own if one.doubt.unsure is not None]
        rare = float(np.mean([one.rare for one in own])) if own else 0.0
        unsure = float(np.mean(told)) if told else None
        found.append(
            LogWorth(log, sum(one.worth for one in finds), len(finds), len(own), frames[log], unsure, rare)
        )
    return sorted(found, key=lambda one: (-one.worth, one.log))
