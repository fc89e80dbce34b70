"""P10: two things in one place. P11: one thing labelled twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, remove
from fusion.checks.rule import Limits, rule
from fusion.overlap import iou_3d

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
    found: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for rows in facts.by_frame.values():
        shares = _shares(facts.boxes.take(rows))
        for a, b in zip(*np.nonzero(np.triu(shares > least, 1)), strict=True):
            key = (int(facts.owners[rows[a]]), int(facts.owners[rows[b]]))
            found.setdefault(key, []).append((int(rows[a]), float(shares[a, b])))
    for (first, second), told in found.items():
        yield first, second, np.array([row for row, _ in told]), np.array([share for _, share in told])


def _shares(boxes: Boxes) -> F64:
    """(N, N) how much of the smaller of two boxes lies in the other; not a number for the far too large."""
    ious = iou_3d(boxes, boxes)
    with np.errstate(over="ignore", invalid="ignore"):
        volumes = boxes.sizes_lwh_m.prod(axis=1)
        shared = ious * (volumes[:, None] + volumes[None]) / (1 + ious)
        return np.asarray(shared / np.minimum(volumes[:, None], volumes[None]))
