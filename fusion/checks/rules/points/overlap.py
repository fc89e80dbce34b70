"""P10: two things in one place. P11: one thing labelled twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64, I64
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, remove
from fusion.checks.rule import Limits, rule

# Those that are one inside the other, or coupled, by the rules of most projects.
TOGETHER = (
    {Kind.PEDESTRIAN, Kind.BICYCLE},
    {Kind.PEDESTRIAN, Kind.MOTORCYCLE},
    {Kind.TRUCK, Kind.TRAILER},
    {Kind.CAR, Kind.TRAILER},
    {Kind.BUS, Kind.TRAILER},
    {Kind.CONSTRUCTION, Kind.TRAILER},
)


@rule("P10", "overlap", Severity.WARNING, chance=0.5, share=0.12)
def overlap(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """More than a share of the smaller one's volume lies in the other."""
    for first, second, rows, shares in _pairs(facts, limits["share"]):
        if _same_thing(facts, first, second, shares) or {facts.kinds[first], facts.kinds[second]} in TOGETHER:
            continue
        other = facts.tracks[second]
        words = f"{100 * shares.max():.0f} % of it lie in {other.category} {other.id} {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=shares.max(), limit=limits["share"], other=second)


@rule("P11", "duplicate", Severity.MANDATORY, chance=0.9, share=0.12)
def duplicate(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Two boxes of like kinds lie mostly in each other."""
    for first, second, rows, shares in _pairs(facts, limits["share"]):
        if not _same_thing(facts, first, second, shares):
            continue
        fewer, more = sorted((first, second), key=lambda track: facts.starts[track + 1] - facts.starts[track])
        mine = rows if fewer == first else _rows_at(facts, fewer, facts.times_ns[rows])
        other = facts.tracks[more]
        words = f"the same object as {other.category} {other.id} {frames_said(rows)}"
        fix = remove(facts, mine, f"Remove what is labelled as {other.id} too")
        yield boxes_found(facts, mine, words, value=shares.max(), limit=SAME, fix=fix, other=more)


SAME = 0.5


def _same_thing(facts: Facts, first: int, second: int, shares: F64) -> bool:
    alike = facts.kinds[first] is facts.kinds[second] or (
        facts.kinds[first].is_vehicle and facts.kinds[second].is_vehicle
    )
    return alike and float(np.median(shares)) > SAME


def _rows_at(facts: Facts, track: int, times_ns: I64) -> I64:
    begin = int(facts.starts[track])
    return begin + np.searchsorted(facts.times_ns[facts.rows(track)], times_ns)


def _pairs(facts: Facts, least: float) -> Iterator[tuple[int, int, I64, F64]]:
    """Tracks that overlap: their numbers, the rows of the first where they do, the shares of the smaller."""
    told = facts.shared.shares > least
    rows, shares = facts.shared.rows[told], facts.shared.shares[told]
    found: dict[tuple[int, int], list[int]] = {}
    for pair, key in enumerate(map(tuple, facts.owners[rows].tolist())):
        found.setdefault(key, []).append(pair)
    for (first, second), pairs in found.items():
        yield first, second, rows[pairs, 0], shares[pairs]
