"""Where two label sets differ most: the tracks and frames that are worth a look first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from calib.types import F64, I64, Bools
from fusion.agreement.compared import Compared


@dataclass(frozen=True, slots=True)
class Counts:
    """How two sets differ in some units.

    Attributes:
        pairs: boxes that both have.
        only_a: boxes that only the first set has.
        only_b: boxes that only the second has.
        other_class: pairs of different classes.
        flipped: pairs that face more than a quarter turn apart.
        astray: pairs whose tracks are not each other's partners.
        mean_iou: of the pairs; NaN without any.
        cost: what there is to settle: 1 for each box alone and each pair of another class, flipped or
            astray; 1 less the IoU for other pairs.
    """

    pairs: int
    only_a: int
    only_b: int
    other_class: int
    flipped: int
    astray: int
    mean_iou: float
    cost: float

    def as_dict(self) -> dict[str, int | float | None]:
        """For JSON: NaN becomes None."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class WorstTrack:
    """How two sets differ on one object.

    Attributes:
        a_id: its track in the first set, if it has one.
        b_id: its track in the second, if it has one.
        category: its class in the first set, else in the second.
        worst_ns: the frame in which they differ most.
        counts: how they differ.
    """

    a_id: str | None
    b_id: str | None
    category: str
    worst_ns: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class WorstFrame:
    """How two sets differ in one frame."""

    timestamp_ns: int
    counts: Counts


@dataclass(frozen=True, eq=False, slots=True)
class _Faults:
    """What is wrong with each unit; all (U,)."""

    other_class: Bools
    flipped: Bools
    astray: Bools
    cost: F64


def worst_tracks(compared: Compared, partners: Mapping[str, str]) -> list[WorstTrack]:
    """All objects, the worst first.

    Args:
        compared: the two sets.
        partners: which track of the second is which of the first.
    """
    a_of = {b_id: a_id for a_id, b_id in partners.items()}
    a, b, units = compared.a, compared.b, compared.units
    faults, frames_ns = _faults(compared, partners), compared.frames_ns
    places: defaultdict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    categories: dict[tuple[str | None, str | None], str] = {}
    for place, (row_a, row_b) in enumerate(zip(units.a.tolist(), units.b.tolist(), strict=True)):
        if row_a >= 0:
            key = a.track_ids[row_a], partners.get(a.track_ids[row_a])
            categories[key] = a.categories[row_a]
        else:
            key = a_of.get(b.track_ids[row_b]), b.track_ids[row_b]
            categories.setdefault(key, b.categories[row_b])
        places[key].append(place)
    found = []
    for key, listed in places.items():
        rows = np.array(listed)
        worst_ns = int(frames_ns[rows[np.argmax(faults.cost[rows])]])
        found.append(WorstTrack(*key, categories[key], worst_ns, _counts(compared, faults, rows)))
    return sorted(found, key=lambda track: -track.counts.cost)


def worst_frames(compared: Compared, partners: Mapping[str, str]) -> list[WorstFrame]:
    """All frames, the worst first; arguments as of `worst_tracks`."""
    faults, frames_ns = _faults(compared, partners), compared.frames_ns
    order = np.argsort(frames_ns, kind="stable")
    frames, starts = np.unique(frames_ns[order], return_index=True)
    parts = np.split(order, starts[1:]) if len(frames) else []
    found = [
        WorstFrame(frame_ns, _counts(compared, faults, rows))
        for frame_ns, rows in zip(frames.tolist(), parts, strict=True)
    ]
    return sorted(found, key=lambda frame: -frame.counts.cost)


def _faults(compared: Compared, partners: Mapping[str, str]) -> _Faults:
    units, paired = compared.units, compared.units.paired
    astray = np.zeros(len(units), dtype=np.bool_)
    for place in np.flatnonzero(paired).tolist():
        a_id, b_id = compared.a.track_ids[units.a[place]], compared.b.track_ids[units.b[place]]
        astray[place] = partners.get(a_id) != b_id
    other_class = paired & (compared.class_a != compared.class_b)
    flipped = compared.offsets.flipped
    wrong = compared.differing | astray
    return _Faults(other_class, flipped, astray, np.where(wrong, 1.0, 1.0 - units.iou))


def _counts(compared: Compared, faults: _Faults, rows: I64) -> Counts:
    units = compared.units
    paired = units.paired[rows]
    return Counts(
        pairs=int(paired.sum()),
        only_a=int((units.b[rows] < 0).sum()),
        only_b=int((units.a[rows] < 0).sum()),
        other_class=int(faults.other_class[rows].sum()),
        flipped=int(faults.flipped[rows].sum()),
        astray=int(faults.astray[rows].sum()),
        mean_iou=float(units.iou[rows][paired].mean()) if paired.any() else np.nan,
        cost=float(faults.cost[rows].sum()),
    )
