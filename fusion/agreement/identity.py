"""Whether tracks that are one object stay together from frame to frame."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fusion.agreement.compared import Compared
from fusion.agreement.match import best_pairs


@dataclass(frozen=True, slots=True)
class Identity:
    """How the tracks of two sets go together.

    Attributes:
        tracks_a: tracks of the first set with a box in the frames compared.
        tracks_b: tracks of the second.
        partners: which track of the second is which of the first, one to one, so that most boxes of pairs
            stay together.
        together: share of the paired boxes whose tracks are partners.
        switches_a: how often a track of the first set goes over from one track of the second to another
            (Bernardin and Stiefelhagen, 2008).
        switches_b: how often a track of the second does.
        idf1: twice the boxes that stay together in the boxes of both (Ristani et al., 2016).
    """

    tracks_a: int
    tracks_b: int
    partners: dict[str, str]
    together: float
    switches_a: int
    switches_b: int
    idf1: float

    def as_dict(self) -> dict[str, object]:
        """For JSON: NaN becomes None."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: None if value != value else value for name, value in values.items()}


def identity(compared: Compared) -> Identity:
    """Of all pairs, in order of time."""
    a, b = compared.a, compared.b
    paired = np.flatnonzero(compared.units.paired)
    in_time = paired[np.argsort(compared.frames_ns[paired], kind="stable")]
    pairs = [(a.track_ids[compared.units.a[u]], b.track_ids[compared.units.b[u]]) for u in in_time.tolist()]
    partners = partners_of(Counter(pairs))
    kept = sum(partners.get(one) == other for one, other in pairs)
    boxes = int((compared.units.a >= 0).sum() + (compared.units.b >= 0).sum())
    return Identity(
        tracks_a=len(_ids(a.track_ids, compared.units.a)),
        tracks_b=len(_ids(b.track_ids, compared.units.b)),
        partners=partners,
        together=kept / len(pairs) if pairs else np.nan,
        switches_a=_switches(pairs),
        switches_b=_switches((other, one) for one, other in pairs),
        idf1=2 * kept / boxes if boxes else np.nan,
    )


def partners_of(together: Counter[tuple[str, str]]) -> dict[str, str]:
    """The one-to-one choice of partners under which most stays together."""
    ones, others = sorted({one for one, _ in together}), sorted({other for _, other in together})
    place_of_one = {id: place for place, id in enumerate(ones)}
    place_of_other = {id: place for place, id in enumerate(others)}
    gains = np.zeros((len(ones), len(others)))
    for (one, other), count in together.items():
        gains[place_of_one[one], place_of_other[other]] = count
    rows, columns = best_pairs(gains)
    return {ones[row]: others[column] for row, column in zip(rows, columns, strict=True)}


def _switches(pairs: Iterable[tuple[str, str]]) -> int:
    seen: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in pairs:
        seen[one].append(other)
    return sum(sum(x != y for x, y in pairwise(way)) for way in seen.values())


def _ids(track_ids: tuple[str, ...], rows: np.ndarray) -> set[str]:
    return {track_ids[row] for row in rows[rows >= 0].tolist()}
