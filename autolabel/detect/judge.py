"""What a shape is, and how sure: the sum of what each of its features says for and against each kind.

An additive logistic model of steps (Hastie and Tibshirani, 1986; fitted by boosted stumps, Friedman, 2001):
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
from calib.types import F64, I64


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
    """The log odds of each kind of `PRIORS`: where they begin, and the steps of each feature."""

    biases: tuple[float, ...]
    steps: tuple[tuple[Steps, ...], ...]

    @classmethod
    @lru_cache(maxsize=1)
    def built_in(cls) -> Judge:
        """Fitted to simulated drives by `tests/benchmarks/detector_table.py`."""
        text = files("autolabel.detect").joinpath("table.json").read_text(encoding="utf-8")
        return cls.from_table(json.loads(text))

    @classmethod
    def from_table(cls, table: dict[str, dict[str, object]]) -> Judge:
        """From the content of `table.json`: by category a bias, and by feature edges and values."""
        biases, steps = [], []
        for prior in PRIORS:
            entry = table[prior.category]
            biases.append(float(entry["bias"]))  # type: ignore[arg-type]
            features: dict[str, list[list[float]]] = entry["features"]  # type: ignore[assignment]
            steps.append(tuple(Steps(n, np.array(e), np.array(v)) for n, (e, v) in features.items()))
        return cls(tuple(biases), tuple(steps))

    def scores(self, features: F64) -> F64:
        """(C, K) how likely each shape is of each kind, in the order of `PRIORS`."""
        odds = np.column_stack(
            [
                bias + sum((step.at(features) for step in steps), np.zeros(len(features)))
                for bias, steps in zip(self.biases, self.steps, strict=True)
            ]
        )
        return np.asarray(1 / (1 + np.exp(-odds)))

    def kinds(self, shapes: Shapes) -> tuple[I64, F64]:
        """(C,) which of `PRIORS` each shape most likely is, and (C,) how likely that is."""
        scores = self.scores(shapes.features)
        best = np.argmax(scores, axis=1)
        return best.astype(np.int64), scores[np.arange(len(best)), best]

    def explain(self, features: F64, prior: Prior) -> dict[str, float]:
        """What each of (F,) features adds to the log odds of a kind, the weightiest first."""
        steps = self.steps[PRIORS.index(prior)]
        said = {step.name: float(step.at(features[None])[0]) for step in steps}
        return dict(sorted(said.items(), key=lambda item: -abs(item[1])))
