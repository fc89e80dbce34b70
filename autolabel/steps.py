"""How likely something is, as a sum of what each of its features says: tables that can be read by eye.

Additive logistic models of steps (Hastie and Tibshirani, 1986; fitted by boosted stumps, Friedman, 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from calib.types import F64


class Entry(TypedDict):
    """As a table holds it: where the log odds begin, and by feature the edges and the values of its steps.

    There is a value more than there are edges; one more still is what a feature says that is not known.
    """

    bias: float
    features: dict[str, list[list[float]]]


@dataclass(frozen=True, eq=False, slots=True)
class Steps:
    """What one feature adds to the log odds.

    Attributes:
        name: of the feature.
        edges: (E,) rising.
        values: (E + 2,) below, between and above the edges, and where the feature is not known.
    """

    name: str
    edges: F64
    values: F64

    @classmethod
    def of(cls, name: str, edges: list[float], values: list[float]) -> Steps:
        """From a table; what is not known counts as large where that does not say otherwise."""
        every = values if len(values) == len(edges) + 2 else [*values, values[-1]]
        return cls(name, np.array(edges), np.array(every))

    def at(self, column: F64) -> F64:
        """(C,) what it says of (C,) values of the feature, NaN where that is not known."""
        rows = np.searchsorted(self.edges, column, side="right")
        return self.values[np.where(np.isnan(column), len(self.edges) + 1, rows)]


@dataclass(frozen=True, eq=False, slots=True)
class Odds:
    """Log odds of one thing: where they begin, and the steps of each feature."""

    bias: float
    steps: tuple[Steps, ...]

    @classmethod
    def of(cls, entry: Entry) -> Odds:
        """From a table."""
        steps = (Steps.of(name, edges, values) for name, (edges, values) in entry["features"].items())
        return cls(float(entry["bias"]), tuple(steps))

    def at(self, columns: Mapping[str, F64], count: int) -> F64:
        """(C,) the log odds of `count` things with (C,) features by name."""
        return np.asarray(self.bias + sum((s.at(columns[s.name]) for s in self.steps), np.zeros(count)))

    def said(self, columns: Mapping[str, F64]) -> dict[str, F64]:
        """(C,) what each feature adds, by its name."""
        return {s.name: s.at(columns[s.name]) for s in self.steps}


def chances(odds: F64) -> F64:
    """Log odds as probabilities."""
    from scipy.special import expit

    return np.asarray(expit(odds))
