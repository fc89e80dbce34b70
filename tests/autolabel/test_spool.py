"""Arrays come back as they were put away, from memory as from a file, and memory stays bounded."""

import numpy as np
import pytest

from autolabel.spool import Spool

ROOM = 8_000


def parts(number: int, size: int = 100) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    return rng.random(size, np.float32), rng.integers(0, 9, size // 2, np.int32)


@pytest.mark.parametrize(("count", "room", "in_memory"), [(10, ROOM, True), (14, ROOM, False), (1, 0, False)])
def test_arrays_come_back_as_they_were(count: int, room: int, in_memory: bool) -> None:
    """600 bytes each: ten of them fit into the room, fourteen do not."""
    spool = Spool(count, room)
    away = [spool.put(*parts(number)) for number in range(count)]
    assert [bool(one.arrays) for one in away] == [in_memory] * count
    for number in reversed(range(count)):
        found, expected = spool.get(away[number]), parts(number)
        assert [array.dtype for array in found] == [np.float32, np.int32]
        assert not any(array.flags.writeable for array in found)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        (first,) = spool.get(away[number], 1)
        np.testing.assert_array_equal(first, expected[0])


def test_what_is_larger_than_the_others_goes_into_the_file() -> None:
    """A guess from the first ones may be wrong; the room never is."""
    spool = Spool(10, ROOM)
    small, large = [spool.put(*parts(k, 20)) for k in range(4)], [spool.put(*parts(k, 900)) for k in range(4)]
    assert all(one.arrays for one in small) and not any(one.arrays for one in large)
    many = Spool(2, ROOM)
    away = [many.put(*parts(k)) for k in range(40)]
    assert sum(bool(one.arrays) for one in away) == ROOM // 600
    np.testing.assert_array_equal(many.get(away[39])[0], parts(39)[0])


def test_nothing_is_empty() -> None:
    spool = Spool(3, 0)
    away = spool.put(np.empty(0, np.float32), np.arange(3))
    assert [len(array) for array in spool.get(away)] == [0, 3]
