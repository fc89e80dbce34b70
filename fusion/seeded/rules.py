"""Which rules tell of which errors."""

from __future__ import annotations

from fusion.seeded.kinds import SENSOR_KINDS, ErrorKind

SENSOR_RULES = ("K",)

# The rules that say what is wrong, by the beginning of their ids; others may lead to the same box.
NAMING: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.SHIFT_ONE: ("P1", "P2", "P3", "P4", "P5", "P15", "T5", "T6", "T7", "T11", "T15", "C1", "C7"),
    ErrorKind.SHIFT_SEVERAL: (
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P15",
        "T5",
        "T6",
        "T7",
        "T11",
        "T15",
        "C1",
        "C7",
    ),
    ErrorKind.TURN: ("P4", "P5", "T2", "T4", "T6", "T16", "C1"),
    ErrorKind.FLIP_MOVING: ("T2", "T4", "T16"),
    ErrorKind.FLIP_STANDING: ("T2", "T4", "T16"),
    ErrorKind.SIZE_ONE: ("P4", "P5", "P8", "P9", "T1", "C1", "C4"),
    ErrorKind.SIZE_TRACK: ("P4", "P5", "P8", "P9", "C1", "C4"),
    ErrorKind.HEIGHT: ("P4", "P5", "P6", "T15", "C1"),
    ErrorKind.MISSING_BOX: ("P14", "T9", "C2"),
    ErrorKind.MISSING_TRACK: ("P14", "C2"),
    ErrorKind.EMPTY: ("P1", "P2", "P3", "P13", "P15", "C2"),
    ErrorKind.CLUTTER: ("P2", "P3", "P4", "P5", "P9", "P13", "P15", "T9", "C2"),
    ErrorKind.DUPLICATE: ("P10", "P11"),
    ErrorKind.SWAP_NEAR: ("T5", "T10", "T11", "T14"),
    ErrorKind.SWAP_FAR: ("T5", "T10", "T11", "T14"),
    ErrorKind.CUT: ("T9", "T10"),
    ErrorKind.CLASS_LIKE: ("P8", "P9", "T3", "C3"),
    ErrorKind.CLASS_GROSS: ("P8", "P9", "T3", "T5", "C3"),
    ErrorKind.LATE: ("P1", "P2", "P3", "P4", "P5", "P15", "T5", "C1", "C7"),
    ErrorKind.DRIFT: ("K1", "K2", "K5"),
    ErrorKind.CLOCK: ("K2", "K3", "K4"),
    ErrorKind.NO_ATTRIBUTE: ("I",),
    ErrorKind.WRONG_MOTION: ("T7", "T8"),
}


def names(rule: str, kind: ErrorKind) -> bool:
    """Whether a rule says what is wrong with this kind of error."""
    return any(_begins(rule, start) for start in NAMING[kind])


def fits(rule: str, kind: ErrorKind) -> bool:
    """Whether a finding of a rule may lead a person to this kind of error.

    Whatever is said of a box leads to all that is wrong with it; what is said of a sensor leads to the
    sensor alone.
    """
    about_sensor = any(_begins(rule, start) for start in SENSOR_RULES)
    return about_sensor is (kind in SENSOR_KINDS)


def _begins(rule: str, start: str) -> bool:
    """`P1` begins P1 and P1a, and does not begin P11."""
    rest = rule.removeprefix(start)
    return rule.startswith(start) and not (start[-1].isdigit() and rest[:1].isdigit())
