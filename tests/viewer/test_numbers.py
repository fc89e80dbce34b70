"""Typed numbers of a box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.se3 import SE3
from fusion.boxes import Box3D
from viewer.numbers import NAMES, NumberError, numbers_of, with_numbers

BOX = Box3D.upright((12.3456789, -4.2, 0.8), (4.5, 1.9, 1.6), 0.7)


@pytest.mark.parametrize("name", NAMES)
def test_one_number_changes_and_the_others_stay_to_the_last_digit(name: str) -> None:
    changed = with_numbers(BOX, {name: "2.5"})
    before, after = numbers_of(BOX), numbers_of(changed)
    assert float(after.pop(name)) == 2.5
    before.pop(name)
    assert after == before
    if name != "x":
        assert changed.center[0] == BOX.center[0]


def test_a_larger_box_stays_where_its_middle_is() -> None:
    changed = with_numbers(BOX, {"length": "6"})
    np.testing.assert_array_equal(changed.center, BOX.center)
    assert changed.length_m == 6.0


@settings(max_examples=30)
@given(st.floats(-360, 360), st.floats(-0.2, 0.2))
def test_a_tilted_box_is_turned_about_its_own_upright_axis(yaw_deg: float, roll_rad: float) -> None:
    tilted = Box3D(BOX.ego_from_box @ SE3.from_rotation_vector([roll_rad, 0, 0]), 4.5, 1.9, 1.6)
    changed = with_numbers(tilted, {"yaw": repr(yaw_deg)})
    np.testing.assert_allclose(
        changed.ego_from_box.rotation[:, 2], tilted.ego_from_box.rotation[:, 2], atol=1e-12
    )


def test_several_numbers_and_a_comma_are_fine() -> None:
    changed = with_numbers(BOX, {"x": " 1,25 ", "yaw": "-90"})
    assert changed.center[0] == 1.25
    assert np.degrees(changed.yaw_rad) == pytest.approx(-90)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("x", ""), ("y", "12m"), ("z", "nan"), ("x", "inf"), ("z", "1e7"), ("yaw", "1000"), ("yaw", "1 2")),
        *(("length", "0"), ("width", "-2"), ("height", "nan"), ("length", "1e9")),
    ],
)
def test_what_is_no_number_of_a_box_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(NumberError, match=name) as caught:
        with_numbers(BOX, {name: text})
    assert caught.value.name == name
