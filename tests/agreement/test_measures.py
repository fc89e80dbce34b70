"""Kappa and alpha against published examples, closed forms and twins that count one by one."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from fusion.agreement import cohen_kappa, krippendorff_alpha

X = -1
# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): sections A, B and C.
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
NOMINAL = [[0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0], [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]]
FOUR_WITH_GAPS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]
ratings = st.integers(1, 30).flatmap(
    lambda units: st.tuples(*[st.lists(st.integers(0, 3), min_size=units, max_size=units)] * 2)
)


@pytest.mark.parametrize(("table", "alpha"), [(BINARY, 0.095), (NOMINAL, 0.692), (FOUR_WITH_GAPS, 0.743)])
def test_alpha_of_krippendorffs_own_examples(table: list[list[int]], alpha: float) -> None:
    assert krippendorff_alpha(table) == pytest.approx(alpha, abs=5e-4)


def test_kappa_of_fifty_grant_proposals() -> None:
    """Two readers: 20 times both yes, 15 times both no, 5 and 10 times one of them: (0.7 - 0.5) / 0.5."""
    first = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_kappa_of_two_hundred_cases() -> None:
    """Three classes after Cohen (1960): 0.70 agree, 0.41 would by chance, kappa 0.492."""
    table = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    first = np.repeat(np.repeat([0, 1, 2], 3), table.ravel())
    second = np.repeat(np.tile([0, 1, 2], 3), table.ravel())
    assert cohen_kappa(first, second) == pytest.approx(0.492, abs=5e-4)


def test_perfect_opposite_and_undecidable() -> None:
    assert cohen_kappa([0, 1, 2], [0, 1, 2]) == 1
    assert cohen_kappa([0, 1], [1, 0]) == -1
    assert krippendorff_alpha([[0, 1, 2], [0, 1, 2]]) == 1
    assert np.isnan(cohen_kappa([], []))
    assert np.isnan(cohen_kappa([3, 3], [3, 3]))
    assert np.isnan(krippendorff_alpha([[], []]))
    assert np.isnan(krippendorff_alpha([[1, 1], [1, 1]]))
    assert np.isnan(krippendorff_alpha([[1, X], [X, 2]]))


def test_what_is_no_table_of_ratings_is_refused() -> None:
    with pytest.raises(CrosslabelError, match="different units"):
        cohen_kappa([0, 1], [0])
    with pytest.raises(CrosslabelError, match="raters, units"):
        krippendorff_alpha([0, 1])


@given(ratings)
@settings(max_examples=60)
def test_kappa_counts_what_a_person_would(pair: tuple[list[int], list[int]]) -> None:
    first, second = pair
    units = len(first)
    observed = sum(x == y for x, y in zip(first, second, strict=True)) / units
    chance = sum(first.count(c) * second.count(c) for c in range(4)) / units**2
    if chance == 1:
        assert np.isnan(cohen_kappa(first, second))
    else:
        assert cohen_kappa(first, second) == pytest.approx((observed - chance) / (1 - chance))


def alpha_by_hand(table: list[list[int]]) -> float:
    """Every ordered pair of values within a unit, and every one of all values there are."""
    pairs, values = [], []
    for unit in zip(*table, strict=True):
        said = [value for value in unit if value != X]
        if len(said) > 1:
            values += said
            pairs += [(x != y) / (len(said) - 1) for x, y in permutations(said, 2)]
    expected = [x != y for x, y in permutations(values, 2)]
    if not any(expected):
        return float("nan")
    return 1 - (sum(pairs) / len(values)) / (sum(expected) / len(expected))


@given(
    st.integers(1, 12).flatmap(
        lambda units: st.lists(
            st.lists(st.integers(-1, 3), min_size=units, max_size=units), min_size=2, max_size=4
        )
    )
)
@settings(max_examples=60)
def test_alpha_counts_what_a_person_would(table: list[list[int]]) -> None:
    assert krippendorff_alpha(table) == pytest.approx(alpha_by_hand(table), nan_ok=True)


@given(ratings)
@settings(max_examples=60)
def test_alpha_of_two_raters_is_scotts_pi_for_few_units(pair: tuple[list[int], list[int]]) -> None:
    """Two raters without gaps: 1 - alpha = (1 - pi) (1 - 1 / 2n), with Scott's pi (1955)."""
    both, units = np.array(pair), len(pair[0])
    shares = np.bincount(both.ravel(), minlength=4) / (2 * units)
    chance = float(shares @ shares)
    if chance == 1:
        return
    scotts_pi = (float(np.mean(both[0] == both[1])) - chance) / (1 - chance)
    assert 1 - krippendorff_alpha(both) == pytest.approx((1 - scotts_pi) * (1 - 1 / (2 * units)))


@given(ratings, st.permutations(range(4)))
@settings(max_examples=30)
def test_neither_cares_for_the_order_of_raters_or_the_names_of_classes(
    pair: tuple[list[int], list[int]], names: list[int]
) -> None:
    first, second = pair
    renamed = [[names[value] for value in one] for one in pair]
    assert cohen_kappa(second, first) == pytest.approx(cohen_kappa(first, second), nan_ok=True)
    assert cohen_kappa(*renamed) == pytest.approx(cohen_kappa(first, second), nan_ok=True)
    assert krippendorff_alpha(renamed[::-1]) == pytest.approx(krippendorff_alpha(pair), nan_ok=True)
