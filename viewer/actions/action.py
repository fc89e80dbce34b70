"""One thing that one can do by key or menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viewer.desk import Desk


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        id: stable name, which settings refer to.
        title: as menus say it.
        menu: which menu it is in.
        keys: in the words of Qt, such as "Ctrl+Z".
        run: does it.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...]
    run: Callable[[Desk], object]

    def do(self, desk: Desk) -> None:
        """Does it as a person's action, which the desk's meter notes."""
        desk.effort.noticed()
        try:
            self.run(desk)
        finally:
            desk.effort.did(self.id)
