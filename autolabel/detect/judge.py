"""What a shape is, and how sure: the sum of what each of its features says for and against each kind.

An additive logistic model of steps (Hastie and Tibshirani, 1986; fitted by boosted stumps, Friedman, 2001):
`table.json` can be read by eye, and `explain` says what made a score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TypedDict

import numpy as np

from autolabel.detect.priors import PRIORS, Prior
from autolabel.detect.shapes import NAMES, Shapes
from calib.types import F64, I64, Bools

STATES = ("standing", "moving")


class Entry(TypedDict):
    """The log odds of one kind: where they begin, and the edges and values of each feature."""

    bias: float
    features: dict[str, list[list[float]]]


Table = dict[str, dict[str, Entry]]


@dataclass(frozen=True, eq=False, slots=True)
class Steps:
    """What one feature adds to the log odds of one kind.

    Attributes:
        name: of the feature.
        edges: (E,) rising.
        values: (E + 1,) below, between and above the edges.
    """

    name: str
    edges: F64
    values: F64

    def at(self, features: F64) -> F64:
        """(C,) what it says of (C, F) features."""
        return self.values[np.searchsorted(self.edges, features[:, NAMES.index(self.name)], side="right")]


@dataclass(frozen=True, eq=False, slots=True)
class Judge:
    """The log odds of each kind of `PRIORS`: where they begin, and the steps of each feature.

    First those of what stands, then those of what moves.
    """

    biases: tuple[tuple[float, ...], tuple[float, ...]]
    steps: tuple[tuple[tuple[Steps, ...], ...], tuple[tuple[Steps, ...], ...]]

    @classmethod
    @lru_cache(maxsize=1)
    def built_in(cls) -> Judge:
        """Fitted by `tests/benchmarks/detector_table.py`."""
        text = files("autolabel.detect").joinpath("table.json").read_text(encoding="utf-8")
        return cls.from_table(json.loads(text))

    @classmethod
    def from_table(cls, table: Table) -> Judge:
        """From the content of `table.json`: by state and category a bias, and by feature edges and values."""
        biases, steps = zip(*(_read(table[state]) for state in STATES), strict=True)
        return cls(biases, steps)

    def scores(self, features: F64, moving: Bools) -> F64:
        """(C, K) how likely each shape is of each kind, in the order of `PRIORS`."""
        odds = np.empty((len(features), len(PRIORS)))
        for state, rows in enumerate((~moving, moving)):
            for k, (bias, steps) in enumerate(zip(self.biases[state], self.steps[state], strict=True)):
                odds[rows, k] = bias + sum((s.at(features[rows]) for s in steps), np.zeros(rows.sum()))
        return np.asarray(1 / (1 + np.exp(-odds)))

    def kinds(self, shapes: Shapes) -> tuple[I64, F64]:
        """(C,) which of `PRIORS` each shape most likely is, and (C,) how likely that is."""
        scores = self.scores(shapes.features, shapes.moving) * _may_be(shapes.extents_m)
        best = np.argmax(scores, axis=1)
        return best.astype(np.int64), scores[np.arange(len(best)), best]

    def explain(self, features: F64, moving: bool, prior: Prior) -> dict[str, float]:
        """What each of (F,) features adds to the log odds of a kind, the weightiest first."""
        steps = self.steps[int(moving)][PRIORS.index(prior)]
        said = {step.name: float(step.at(features[None])[0]) for step in steps}
        return dict(sorted(said.items(), key=lambda item: -abs(item[1])))


def _may_be(extents_m: F64) -> Bools:
    """(C, K) whether shapes are small enough for each kind."""
    longest, broadest = np.array([(prior.longest_m, prior.broadest_m) for prior in PRIORS]).T
    short_enough = extents_m.max(axis=1)[:, None] <= longest
    return np.asarray(short_enough & (extents_m.min(axis=1)[:, None] <= broadest))


def _read(entries: dict[str, Entry]) -> tuple[tuple[float, ...], tuple[tuple[Steps, ...], ...]]:
    biases, steps = [], []
    for prior in PRIORS:
        entry = entries[prior.category]
        biases.append(float(entry["bias"]))
        features = entry["features"].items()
        steps.append(tuple(Steps(name, np.array(e), np.array(v)) for name, (e, v) in features))
    return tuple(biases), tuple(steps)
