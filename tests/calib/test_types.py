"""Arrays that nobody can write to any more are taken over, all others are copied."""

import numpy as np

from calib.types import frozen, handed_over


def test_what_somebody_could_still_write_to_is_copied() -> None:
    whole = np.arange(12.0)
    view = whole[2:8]
    view.flags.writeable = False
    for given in (whole, view, np.frombuffer(bytearray(96)), [1.0, 2.0], whole.reshape(3, 4).T):
        kept = frozen(given, np.float64)
        assert not np.shares_memory(kept, np.asarray(given)) and not kept.flags.writeable
    before = frozen(view, np.float64)
    whole[:] = 0
    assert before.tolist() == [2, 3, 4, 5, 6, 7]


def test_what_was_handed_over_is_not_copied_and_cannot_be_written() -> None:
    whole = np.arange(12.0)
    rows = handed_over(whole.reshape(3, 4))
    assert frozen(rows, np.float64) is rows
    assert not whole.flags.writeable
    assert frozen(frozen(whole, np.float64), np.float64) is whole


def test_another_type_or_layout_is_copied() -> None:
    settled = handed_over(np.arange(6, dtype=np.float64).reshape(2, 3))
    assert frozen(settled, np.float32).dtype == np.float32
    turned = frozen(settled.T, np.float64)
    assert turned.flags.c_contiguous and not np.shares_memory(turned, settled)


def test_memory_of_others_is_copied() -> None:
    given = np.frombuffer(bytes(80))
    assert not given.flags.writeable
    assert not np.shares_memory(frozen(given, np.float64), given)
