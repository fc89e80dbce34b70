"""From evidence to how likely a box needs no edit: the chances of its kind, size, heading and place.

Each is the chance that this is right where all before it are, so that their product is the chance that
everything is right. `table.json` holds a sum of steps for each, by where a box comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.confidence.evidence import Evidence
from autolabel.confidence.looks import Looks
from autolabel.confidence.reasons import reason
from autolabel.steps import Entry, Odds, chances
from autolabel.traced import Traced
from calib.types import F64, I64, Bools
from fusion.categories import Kind, kind_of

PARTS = ("kind", "size", "heading", "place")
MOVED_M = 1.0
WALKING = (Kind.PEDESTRIAN, Kind.ANIMAL)
Table = dict[str, dict[str, Entry]]


def sources_of(traced: Sequence[Traced], columns: Columns, looks: Looks) -> list[str]:
    """What the boxes of each track are made of, and what kind of thing it is, as the table calls it."""
    seen = np.isfinite(looks.points)
    sources = []
    for k, one in enumerate(traced):
        rows = columns.of_track(k)
        origin = "given" if one.track.annotations else "found"
        scans = "" if seen[rows].any() else " without scans"
        places = columns.local_from_box.translations[rows, :2]
        moves = bool((np.ptp(places, axis=0) > MOVED_M).any()) if len(places) else False
        sort = "person" if kind_of(one.track.category) in WALKING else "moving" if moves else "standing"
        sources.append(f"{origin}{scans}, {sort}")
    return sources


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """What is held of N boxes.

    Attributes:
        parts: (N, 4) chances of `PARTS`.
        reasons: N words for what costs most.
    """

    parts: F64
    reasons: tuple[str, ...]

    @property
    def chances(self) -> F64:
        """(N,) how likely each needs no edit."""
        return np.asarray(self.parts.prod(axis=1))


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """By source and part the log odds."""

    tables: Mapping[str, Mapping[str, Odds]]

    @classmethod
    @lru_cache(maxsize=1)
    def built_in(cls) -> Model:
        """Fitted by `python -m tests.benchmarks.confidence --train`."""
        text = files("autolabel.confidence").joinpath("table.json").read_text(encoding="utf-8")
        return cls.from_table(json.loads(text))

    @classmethod
    def from_table(cls, table: Table) -> Model:
        """From the content of `table.json`."""
        return cls({s: {part: Odds.of(entry) for part, entry in parts.items()} for s, parts in table.items()})

    def judge(self, evidence: Evidence, owners: I64, sources: Sequence[str]) -> Judged:
        """What is held of the boxes of (N,) owners, tracks from so many sources.

        What a source cannot get wrong, such as a size that was given, has no odds, and is right.
        """
        parts, reasons = np.ones((len(owners), len(PARTS))), np.full(len(owners), "", dtype=object)
        of_box = np.array([*sources, ""], dtype=object)[owners]
        for source in sorted(set(of_box.tolist())):
            rows = np.flatnonzero(of_box == source)
            self._judge(self.tables[source], evidence.columns(rows, owners[rows]), rows, parts, reasons)
        return Judged(parts, tuple(reasons))

    def _judge(
        self, odds: Mapping[str, Odds], columns: Mapping[str, F64], rows: I64, parts: F64, reasons: np.ndarray
    ) -> None:
        for part, sums in odds.items():
            parts[rows, PARTS.index(part)] = chances(sums.at(columns, len(rows)))
        worst = np.argmin(parts[rows], axis=1)
        for number, part in enumerate(PARTS):
            some: Bools = worst == number
            if some.any() and part in odds:
                reasons[rows[some]] = reason(part, odds[part].said(columns), some)
