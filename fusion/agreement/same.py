"""Which track of one label set is which of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from fusion.agreement.columns import Columns
from fusion.agreement.identity import partners_of
from fusion.agreement.match import Matching, alike
from fusion.labels import LabelSet, Track

Pair = tuple[str, str]
# The IoU of tiny boxes far from the origin is lost in rounding; what is this near is in one place.
SAME_PLACE_M = 0.05


@dataclass(frozen=True, slots=True)
class SameTracks:
    """What goes with what.

    Attributes:
        by_id: ids that both sets have for one object.
        by_overlap: ids of the second set with the id that the first has for the same object.
        apart: ids that both sets have, but for different objects.
        over: (first, second) tracks that lie over each other in most of the frames that they share but go
            with another partner or with none.
    """

    by_id: frozenset[str]
    by_overlap: Mapping[str, str]
    apart: frozenset[str]
    over: frozenset[Pair]

    def partner(self, b_id: str) -> str | None:
        """The first set's id for a track of the second; None where it has no such object."""
        return b_id if b_id in self.by_id else self.by_overlap.get(b_id)


@dataclass(frozen=True, slots=True)
class _Meetings:
    """In how many frames two tracks overlap enough to be one object, and which touch at all."""

    fitting: Counter[Pair]
    touching: frozenset[Pair]


def same_tracks(
    a: LabelSet,
    b: LabelSet,
    *,
    known: Collection[str] = (),
    trust_ids: bool = True,
    by_overlap: bool = True,
    matching: Matching | None = None,
) -> SameTracks:
    """Pairs tracks by their ids, then those left over by overlap.

    An id is one object in both sets where it is known, or where its boxes overlap enough in more than half
    of the frames that both have. Of the other tracks those are one object that overlap so, one to one. An
    id that is left stands for one object where its boxes touch in any frame, or where no frame tells and
    the classes are alike.

    Args:
        a: the first set.
        b: the second.
        known: ids that say the same in both sets, as they come from a common ancestor; a track of such an
            id is not sought by overlap.
        trust_ids: ids that are left stand for one object in any case.
        by_overlap: whether tracks of different ids may be one object.
        matching: when two boxes may be one object.
    """
    met = _meetings(Columns.of(a), Columns.of(b), matching or Matching())
    shared = a.tracks.keys() & b.tracks.keys()
    likely = {pair: count for pair, count in met.fitting.items() if _most(a, b, pair, count)}
    same = {id for id in shared if id in known or (id, id) in likely}
    taken = {*same, *known}
    free = Counter({(x, y): n for (x, y), n in likely.items() if x not in taken and y not in taken})
    found = {b_id: a_id for a_id, b_id in partners_of(free).items()} if by_overlap else {}
    left = shared - same - found.keys() - set(found.values())
    same |= {id for id in left if trust_ids or _may_agree(a.tracks[id], b.tracks[id], met)}
    paired = {(id, id) for id in same} | {(a_id, b_id) for b_id, a_id in found.items()}
    return SameTracks(
        frozenset(same), found, frozenset(shared - same - found.keys()), frozenset(likely.keys() - paired)
    )


def _meetings(a: Columns, b: Columns, matching: Matching) -> _Meetings:
    fitting: Counter[Pair] = Counter()
    touching: set[Pair] = set()
    for frame_ns in np.intersect1d(a.frames_ns, b.frames_ns).tolist():
        rows_a, rows_b = a.rows_at(frame_ns), b.rows_at(frame_ns)
        boxes_a, boxes_b = a.boxes.take(rows_a), b.boxes.take(rows_b)
        ids_a, ids_b = a.track_ids[rows_a], b.track_ids[rows_b]
        ious = matching.iou(boxes_a, boxes_b)
        fits = matching.fits(ious, a.categories[rows_a], b.categories[rows_b])
        places_a, places_b = boxes_a.dst_from_box.translations, boxes_b.dst_from_box.translations
        near = np.linalg.norm(places_a[:, None] - places_b[None], axis=2) <= SAME_PLACE_M
        same_id = np.array(ids_a, dtype=object)[:, None] == np.array(ids_b, dtype=object)[None, :]
        fits |= near & same_id
        fitting.update((ids_a[i], ids_b[j]) for i, j in np.argwhere(fits).tolist())
        touching.update((ids_a[i], ids_b[j]) for i, j in np.argwhere(near | (ious > 0)).tolist())
    return _Meetings(fitting, frozenset(touching))


def _may_agree(a: Track, b: Track, met: _Meetings) -> bool:
    if (a.id, b.id) in met.touching:
        return True
    return not a.annotations.keys() & b.annotations.keys() and alike(a.category, b.category)


def _most(a: LabelSet, b: LabelSet, pair: Pair, count: int) -> bool:
    one, other = a.tracks[pair[0]], b.tracks[pair[1]]
    shared = one.annotations.keys() & other.annotations.keys()
    return 2 * count > len(shared)
