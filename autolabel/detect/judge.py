"""What a shape is, and how sure: the sum of what each of its features says for and against each kind.

`table.json` can be read by eye, and `explain` says what made a score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from autolabel.detect.priors import PRIORS, Prior
from autolabel.detect.shapes import NAMES, Shapes
from autolabel.steps import Entry, Odds, chances
from calib.types import F64, I64, Bools

STATES = ("standing", "moving")

Table = dict[str, dict[str, Entry]]


@dataclass(frozen=True, eq=False, slots=True)
class Judge:
    """The log odds of each kind of `PRIORS`: first those of what stands, then those of what moves."""

    odds: tuple[tuple[Odds, ...], tuple[Odds, ...]]

    @classmethod
    @lru_cache(maxsize=1)
    def built_in(cls) -> Judge:
        """Fitted by `tests/benchmarks/detector_table.py`."""
        text = files("autolabel.detect").joinpath("table.json").read_text(encoding="utf-8")
        return cls.from_table(json.loads(text))

    @classmethod
    def from_table(cls, table: Table) -> Judge:
        """From the content of `table.json`: by state and category a bias, and by feature edges and values."""
        standing, moving = (
            tuple(Odds.of(table[state][prior.category]) for prior in PRIORS) for state in STATES
        )
        return cls((standing, moving))

    def scores(self, features: F64, moving: Bools) -> F64:
        """(C, K) how likely each shape is of each kind, in the order of `PRIORS`."""
        odds = np.empty((len(features), len(PRIORS)))
        for state, rows in enumerate((~moving, moving)):
            columns = dict(zip(NAMES, features[rows].T, strict=True))
            for k, kind in enumerate(self.odds[state]):
                odds[rows, k] = kind.at(columns, int(rows.sum()))
        return chances(odds)

    def kinds(self, shapes: Shapes) -> tuple[I64, F64]:
        """(C,) which of `PRIORS` each shape most likely is, and (C,) how likely that is."""
        scores = self.scores(shapes.features, shapes.moving) * _may_be(shapes.extents_m)
        best = np.argmax(scores, axis=1)
        return best.astype(np.int64), scores[np.arange(len(best)), best]

    def explain(self, features: F64, moving: bool, prior: Prior) -> dict[str, float]:
        """What each of (F,) features adds to the log odds of a kind, the weightiest first."""
        columns = dict(zip(NAMES, features[:, None], strict=True))
        said = self.odds[int(moving)][PRIORS.index(prior)].said(columns)
        return dict(sorted(((n, float(v[0])) for n, v in said.items()), key=lambda item: -abs(item[1])))


def _may_be(extents_m: F64) -> Bools:
    """(C, K) whether shapes are small enough for each kind."""
    longest, broadest = np.array([(prior.longest_m, prior.broadest_m) for prior in PRIORS]).T
    short_enough = extents_m.max(axis=1)[:, None] <= longest
    return np.asarray(short_enough & (extents_m.min(axis=1)[:, None] <= broadest))
