"""Turns about axes agree with scipy's, also where two axes fall together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from formats.turns import matrix_of_turns, turns_of_matrix

angles = st.floats(-7, 7)
orders = st.sampled_from(["XYZ", "ZYX", "YZX", "YXZ", "XZY", "ZXY"])


@given(orders, angles, angles, angles)
def test_matrices_are_scipys_and_turns_make_them_again(order: str, a: float, b: float, c: float) -> None:
    matrix = matrix_of_turns((a, b, c), order)
    assert np.abs(matrix - Rotation.from_euler(order, (a, b, c)).as_matrix()).max() < 1e-14
    again = turns_of_matrix(matrix, order)
    assert abs(again[1]) <= np.pi / 2 + 1e-12
    assert np.abs(matrix_of_turns(again, order) - matrix).max() < 1e-14


@pytest.mark.parametrize("order", ["XYZ", "ZYX"])
@pytest.mark.parametrize("near", [0.0, 1e-16, 1e-12, 1e-10, 1e-7])
def test_near_the_gimbal_lock(order: str, near: float) -> None:
    for sign in (1, -1):
        matrix = Rotation.from_euler(order, (0.4, sign * (np.pi / 2 - near), -1.3)).as_matrix()
        again = matrix_of_turns(turns_of_matrix(matrix, order), order)
        assert np.abs(again - matrix).max() < 1e-14
