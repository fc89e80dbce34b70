"""What a mouse does in a pane, whatever window system it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto

STILL_PX = 3.0


class Deed(Enum):
    """What happened."""

    PRESS = auto()
    MOVE = auto()
    RELEASE = auto()
    DOUBLE = auto()
    WHEEL = auto()
    LEAVE = auto()


class Button(Enum):
    """With which button."""

    NONE = auto()
    LEFT = auto()
    MIDDLE = auto()
    RIGHT = auto()


class Held(Flag):
    """Keys held meanwhile."""

    NOTHING = 0
    SHIFT = auto()
    CTRL = auto()
    ALT = auto()


@dataclass(frozen=True, slots=True)
class Pointer:
    """One event.

    Attributes:
        deed: what happened.
        uv_px: where in the pane, from its upper left corner.
        button: which one was pressed or let go; during a drag, the one that is held.
        held: keys held meanwhile.
        steps: of the wheel; positive away from the person.
    """

    deed: Deed
    uv_px: tuple[float, float]
    button: Button = Button.NONE
    held: Held = Held.NOTHING
    steps: float = 0.0

    def is_off(self, press: Pointer) -> bool:
        """Whether it is so far from where a button was pressed that this is no click any more."""
        return abs(self.uv_px[0] - press.uv_px[0]) + abs(self.uv_px[1] - press.uv_px[1]) > STILL_PX
