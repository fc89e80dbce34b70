"""Which errors are put into labels, how large, and which of them nobody may miss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """What people and machines get wrong."""

    SHIFT_ONE = "shift, one box"
    SHIFT_SEVERAL = "shift, several boxes"
    TURN = "turn"
    FLIP_MOVING = "flip, moving"
    FLIP_STANDING = "flip, standing"
    SIZE_ONE = "size, one box"
    SIZE_TRACK = "size, whole track"
    HEIGHT = "off the ground"
    MISSING_BOX = "missing box"
    MISSING_TRACK = "missing object"
    EMPTY = "spurious, empty"
    CLUTTER = "spurious, on clutter"
    DUPLICATE = "duplicate"
    SWAP_NEAR = "id swap, near"
    SWAP_FAR = "id swap, distant"
    CUT = "track cut"
    CLASS_LIKE = "class, alike"
    CLASS_GROSS = "class, gross"
    LATE = "late boxes"
    DRIFT = "calibration drift"
    CLOCK = "clock offset"
    NO_ATTRIBUTE = "missing attribute"
    WRONG_MOTION = "wrong motion attribute"


UNITS = {
    ErrorKind.SHIFT_ONE: "m",
    ErrorKind.SHIFT_SEVERAL: "m",
    ErrorKind.TURN: "deg",
    ErrorKind.FLIP_MOVING: "deg",
    ErrorKind.FLIP_STANDING: "deg",
    ErrorKind.SIZE_ONE: "%",
    ErrorKind.SIZE_TRACK: "%",
    ErrorKind.HEIGHT: "m",
    ErrorKind.MISSING_TRACK: "points",
    ErrorKind.DUPLICATE: "m",
    ErrorKind.SWAP_NEAR: "m",
    ErrorKind.SWAP_FAR: "m",
    ErrorKind.LATE: "frames",
    ErrorKind.DRIFT: "deg",
    ErrorKind.CLOCK: "ms",
}
SENSOR_KINDS = frozenset({ErrorKind.DRIFT, ErrorKind.CLOCK})
SHIFTS_M = (0.2, 0.3, 0.5, 1.0, 2.0)
SIZES_PERCENT = (5.0, 10.0, 20.0, 40.0)


@dataclass(frozen=True, slots=True)
class Level:
    """A kind of error at one amount.

    Attributes:
        kind: what is wrong.
        amount: by how much, in the unit of the kind; 0 where there is no more or less of it. Of a missing
            object the points that it has at least, of swapped tracks how far apart they are: at most (near)
            or at least (distant).
        gross: whether every check has to find it.
    """

    kind: ErrorKind
    amount: float = 0.0
    gross: bool = False


def _levels(kind: ErrorKind, amounts: Iterable[float], gross: Iterable[float] = ()) -> tuple[Level, ...]:
    chosen = set(gross)
    return tuple(Level(kind, amount, amount in chosen) for amount in amounts)


LEVELS: tuple[Level, ...] = (
    *_levels(ErrorKind.SHIFT_ONE, SHIFTS_M, (1.0, 2.0)),
    *_levels(ErrorKind.SHIFT_SEVERAL, SHIFTS_M, (1.0, 2.0)),
    *_levels(ErrorKind.TURN, (5.0, 10.0, 20.0, 45.0)),
    *_levels(ErrorKind.FLIP_MOVING, (180.0,), (180.0,)),
    *_levels(ErrorKind.FLIP_STANDING, (180.0,)),
    *_levels(ErrorKind.SIZE_ONE, SIZES_PERCENT),
    *_levels(ErrorKind.SIZE_TRACK, SIZES_PERCENT),
    *_levels(ErrorKind.HEIGHT, (0.2, 0.3, 0.5, 1.0)),
    *_levels(ErrorKind.MISSING_BOX, (0.0,)),
    *_levels(ErrorKind.MISSING_TRACK, (15.0, 50.0, 200.0), (50.0, 200.0)),
    *_levels(ErrorKind.EMPTY, (0.0,), (0.0,)),
    *_levels(ErrorKind.CLUTTER, (0.0,)),
    *_levels(ErrorKind.DUPLICATE, (0.1, 0.3), (0.1, 0.3)),
    *_levels(ErrorKind.SWAP_NEAR, (8.0,)),
    *_levels(ErrorKind.SWAP_FAR, (15.0,), (15.0,)),
    *_levels(ErrorKind.CUT, (0.0,)),
    *_levels(ErrorKind.CLASS_LIKE, (0.0,)),
    *_levels(ErrorKind.CLASS_GROSS, (0.0,)),
    *_levels(ErrorKind.LATE, (1.0, 2.0, 4.0)),
    *_levels(ErrorKind.DRIFT, (0.3, 0.5, 1.0)),
    *_levels(ErrorKind.CLOCK, (10.0, 20.0, 50.0, 100.0)),
    *_levels(ErrorKind.NO_ATTRIBUTE, (0.0,)),
    *_levels(ErrorKind.WRONG_MOTION, (0.0,)),
)
GROSS_LEVELS = tuple(level for level in LEVELS if level.gross)


def amount_words(kind: ErrorKind, amount: float) -> str:
    """An amount with its unit; empty for a kind that has none."""
    return f"{amount:g} {UNITS[kind]}" if kind in UNITS else ""
