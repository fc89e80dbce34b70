"""Sums of steps: what each feature adds, known or not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel.steps import Odds, Steps, chances
from tests.benchmarks.boosting import fitted

NUMBERS = st.floats(-10, 10)


@settings(max_examples=50)
@given(st.lists(NUMBERS, min_size=1, max_size=5, unique=True), st.lists(st.one_of(NUMBERS, st.just(np.nan))))
def test_a_step_says_what_stands_between_its_edges(edges: list[float], column: list[float]) -> None:
    edges = sorted(edges)
    values = [float(k) for k in range(len(edges) + 2)]
    said = Steps.of("x", edges, values).at(np.array(column))
    for value, x in zip(said, column, strict=True):
        assert value == (values[-1] if np.isnan(x) else sum(edge <= x for edge in edges))


def test_what_is_not_known_counts_as_large_where_nothing_else_is_said() -> None:
    assert Steps.of("x", [0.0], [1.0, 2.0]).at(np.array([-1.0, 1.0, np.nan])).tolist() == [1.0, 2.0, 2.0]


def test_odds_add_up() -> None:
    odds = Odds.of({"bias": -1.0, "features": {"x": [[0.0], [0.0, 3.0]], "y": [[], [0.0, 0.5]]}})
    columns = {"x": np.array([-1.0, 1.0]), "y": np.array([7.0, np.nan])}
    assert odds.at(columns, 2).tolist() == [-1.0, 2.5]
    said = odds.said(columns)
    assert (sum(said.values()) + odds.bias).tolist() == [-1.0, 2.5]
    assert chances(np.array([0.0])).tolist() == [0.5]


def test_a_fitted_table_tells_the_chances_it_was_fitted_to() -> None:
    rng = np.random.default_rng(2)
    x, noise = rng.uniform(-1, 1, 4000), rng.uniform(-1, 1, 4000)
    x[:800] = np.nan
    truth = np.where(np.isnan(x), 0.9, np.where(x > 0.3, 0.6, 0.1))
    hits = (rng.random(4000) < truth).astype(np.float64)
    entry = fitted(np.column_stack([x, noise]), hits, np.ones(4000), ("x", "noise"))
    found = chances(Odds.of(entry).at({"x": np.array([np.nan, 0.8, -0.5]), "noise": np.zeros(3)}, 3))
    np.testing.assert_allclose(found, [0.9, 0.6, 0.1], atol=0.06)
