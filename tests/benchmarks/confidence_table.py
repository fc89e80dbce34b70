"""Fits autolabel/confidence/table.json: from boxes whose truth is known to the chances of each part."""

from collections.abc import Iterator, Sequence

import numpy as np

from autolabel.confidence.model import Table
from autolabel.steps import Entry, Odds
from calib.types import F64
from tests.benchmarks.boosting import fitted
from tests.benchmarks.confidence_case import DISTURBED, Case, joined

ROUNDS = {"kind": 100, "size": 100, "heading": 150, "place": 300}
RIDGES = {"kind": 12.0, "size": 12.0, "heading": 2.0, "place": 2.0}
# Boxes of neighbouring frames say the same.
EVERY = 3
STEPS, FIRM = 30, 3.0
DISTURBED_COUNTS = 0.3
# Where a box was given, what its surface is like is told from that one: other drives' cars are others.
FROM_GIVEN = {
    "out", "sticking", "longer_m", "wider_m", "higher_m", "shorter_m", "narrower_m", "near_end_m",
    "near_side_m", "top_m", "turn_rad", "tilted_rad", "lift_m", "rise_m", "seen_through",
}  # fmt: skip


def trained(cases: Sequence[Case]) -> Table:
    """The table of some cases."""
    every = joined(cases)
    natural = np.repeat([case.mode != DISTURBED for case in cases], [len(case.owners) for case in cases])
    rows = np.arange(0, len(natural), EVERY)
    table: Table = {}
    for source in np.unique(every.sources):
        own = rows[every.sources[rows] == source]
        table[str(source)] = dict(entries(every.take(own), natural[own], bool(source.startswith("given"))))
    return table


def entries(boxes: Case, natural: np.ndarray, given: bool) -> Iterator[tuple[str, Entry]]:
    """The log odds of each part, told from the boxes in which all parts before it are right."""
    lengths = np.bincount(boxes.owners)
    if not given:
        kind = share(boxes.owners, boxes.right[:, 0]) > 0.5
        size = share(boxes.owners[boxes.there], boxes.right[boxes.there, 1], len(lengths)) > 0.5
        whole = boxes.take(np.unique(boxes.owners, return_index=True)[1])
        yield "kind", of_tracks(whole, kind, lengths, "kind")
        yield "size", of_tracks(whole.take(kind[whole.owners]), size, lengths, "size")
        fine = (kind & size)[boxes.owners]
        boxes, natural = boxes.take(fine), natural[fine]
    # A track counts for as much as the root of its length: its boxes are much alike.
    weights = np.where(natural, 1.0, DISTURBED_COUNTS) / np.sqrt(lengths[boxes.owners])
    for part, rows, right in (
        ("heading", boxes.there, boxes.right[:, 2]),
        ("place", boxes.right[:, 2] | ~boxes.there, boxes.right[:, 4]),
    ):
        yield part, entry(boxes.take(rows), right[rows], weights[rows], natural[rows], part, given)


def of_tracks(whole: Case, right: np.ndarray, lengths: np.ndarray, part: str) -> Entry:
    """The entry of a part that all boxes of a track share; `whole` holds one of each."""
    owners = whole.owners
    every = np.ones(len(owners), dtype=bool)
    return entry(whole, right[owners], np.sqrt(lengths[owners]), every, part, False)


def share(owners: np.ndarray, values: np.ndarray, count: int = 0) -> F64:
    """(K,) of each track's boxes, for how many something is true."""
    return np.bincount(owners, values, count) / np.maximum(np.bincount(owners, minlength=count), 1)


def entry(boxes: Case, hits: np.ndarray, weights: F64, natural: np.ndarray, part: str, given: bool) -> Entry:
    """One entry; its steps are zero on the whole for what is right, and negative where they speak against.

    What speaks how much is told by all boxes, and how likely it makes them by the natural ones alone.
    """
    if len(hits) == 0:
        return {"bias": 0.0, "features": {}}
    wanted = boxes.whole if part in ("kind", "size") else tuple(boxes.columns)
    names = [name for name in wanted if not (given and name in FROM_GIVEN)]
    features = np.column_stack([boxes.columns[name] for name in names])
    made = fitted(features, hits.astype(np.float64), weights, names, ROUNDS[part], RIDGES[part])
    odds = Odds.of(made).at(boxes.columns, len(hits))
    slope, shift = scaled(odds[natural], hits[natural], weights[natural])
    bias = slope * made["bias"] + shift
    right = hits & natural
    for name, (edges, values) in list(made["features"].items()):
        said = slope * Odds.of({"bias": 0.0, "features": {name: [edges, values]}}).at(
            boxes.columns, len(hits)
        )
        usual = round(float(np.average(said[right], weights=weights[right])) if right.any() else 0.0, 2)
        made["features"][name] = [edges, [round(slope * value - usual, 2) for value in values]]
        bias += usual
    made["bias"] = round(bias, 2)
    return made


def scaled(odds: F64, hits: np.ndarray, weights: F64) -> tuple[float, float]:
    """The slope and the shift that make log odds those of what was seen (Platt, 1999); near 1 and 0."""
    start = np.array([1.0, 0.0])
    line, design = start, np.column_stack([odds, np.ones(len(odds))])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ line, -30, 30)))
        bend = (design * (weights * chance * (1 - chance))[:, None]).T @ design + FIRM * np.eye(2)
        line = line + np.linalg.solve(bend, design.T @ (weights * (hits - chance)) - FIRM * (line - start))
    return float(line[0]), float(line[1])
