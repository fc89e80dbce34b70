"""What is being dragged: one thing at a time, by a generator that takes the events until the drag ends."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from viewer.pointer import Pointer

# It takes pointer events and gives back nothing; what it previews and does goes to the session.
Drag = Generator[None, Pointer, None]


@dataclass(eq=False)
class Hold:
    """Drives a drag, where there is one.

    Attributes:
        ended: called when one has come to its end.
    """

    ended: Callable[[], None] = lambda: None
    _drag: Drag | None = field(default=None, repr=False)

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""
        return self._drag is not None

    def begin(self, drag: Drag) -> None:
        """Takes hold of something."""
        self._drag = drag
        self._drive(drag, None)

    def take(self, event: Pointer) -> bool:
        """Goes on with the drag; whether there was one."""
        if self._drag is None:
            return False
        self._drive(self._drag, event)
        return True

    def cancel(self) -> None:
        """Lets go, as if nothing had been."""
        if self._drag is not None:
            self._drag.close()
            self._drag = None

    def _drive(self, drag: Drag, event: Pointer | None) -> None:
        try:
            next(drag) if event is None else drag.send(event)
        except StopIteration:
            self._drag = None
            self.ended()
