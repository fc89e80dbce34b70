"""Fits tables of steps: Newton boosting of stumps (Friedman, 2001), one feature at a time."""

import json
import re
from collections.abc import Sequence

import numpy as np

from autolabel.steps import Entry
from calib.types import F64

# What is rare is often what is wrong.
TAILS = np.array([0.005, 0.01, 0.02])
BINS, ROUNDS, RATE, RIDGE, LEAST_HITS = 24, 200, 0.1, 12.0, 4


def fitted(
    features: F64,
    hits: np.ndarray,
    weights: F64,
    names: Sequence[str],
    rounds: int = ROUNDS,
    ridge: float = RIDGE,
) -> Entry:
    """Log odds of (N,) hits as a sum of steps of (N, F) features; what is NaN has a step of its own."""
    edges = [cuts(column) for column in features.T]
    bins = np.column_stack([binned(column, e) for column, e in zip(features.T, edges, strict=True)])
    share = np.clip(np.average(hits, weights=weights), 1e-4, 1 - 1e-4)
    bias = float(np.log(share / (1 - share)))
    odds, added = np.full(len(hits), bias), [np.zeros(len(e) + 2) for e in edges]
    for _ in range(rounds if hits.sum() >= LEAST_HITS else 0):
        chance = 1 / (1 + np.exp(-odds))
        slope, bend = weights * (hits - chance), weights * chance * (1 - chance)
        f, cut, below, above = best_stump(bins, added, slope, bend, ridge)
        step = RATE * np.where(np.arange(len(added[f])) <= cut, below, above)
        added[f] += step
        odds += step[bins[:, f]]
    return written_entry(bias, names, edges, added, features)


def cuts(column: F64) -> F64:
    """Where a feature may be cut."""
    known = column[np.isfinite(column)]
    shares = np.concatenate([TAILS, np.linspace(0, 1, BINS + 1)[1:-1], 1 - TAILS])
    return np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)


def binned(column: F64, edges: F64) -> np.ndarray:
    """The bin of each value; the last one holds what is not known."""
    return np.where(np.isnan(column), len(edges) + 1, np.searchsorted(edges, column, side="right"))


def best_stump(
    bins: np.ndarray, added: list[F64], slope: F64, bend: F64, ridge: float
) -> tuple[int, int, float, float]:
    """The feature and the bin after which to cut, and the Newton steps below and above."""
    best, choice = -np.inf, (0, 0, 0.0, 0.0)
    for f, values in enumerate(added):
        g = np.cumsum(np.bincount(bins[:, f], slope, len(values)))
        h = np.cumsum(np.bincount(bins[:, f], bend, len(values)))
        left, right = g[:-1] / (h[:-1] + ridge), (g[-1] - g[:-1]) / (h[-1] - h[:-1] + ridge)
        gain = left * g[:-1] + right * (g[-1] - g[:-1])
        cut = int(np.argmax(gain))
        if gain[cut] > best:
            best, choice = float(gain[cut]), (f, cut, float(left[cut]), float(right[cut]))
    return choice


def written_entry(
    bias: float, names: Sequence[str], edges: list[F64], added: list[F64], features: F64
) -> Entry:
    """As a table holds it: edges only where something changes; what is not known only where that occurs."""
    said = {}
    for name, e, values, column in zip(names, edges, added, features.T, strict=True):
        known, unknown = values[:-1], values[-1:]
        turns = np.flatnonzero(np.abs(np.diff(known)) > 1e-9)
        missing = np.isnan(column).any()
        if len(turns) or (missing and abs(unknown[0] - known[-1]) > 1e-9):
            kept = np.concatenate([known[turns], known[-1:], *([unknown] if missing else [])])
            said[name] = [[round(float(v), 3) for v in e[turns]], [round(float(v), 2) for v in kept]]
    return {"bias": round(bias, 2), "features": said}


def written(made: object) -> str:
    """As JSON with one line a list."""
    return re.sub(r"\[\s+([^\[\]]*?)\s+\]", _one_line, json.dumps(made, indent=1)) + "\n"


def _one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", found.group(1)) + "]"
