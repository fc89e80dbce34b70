"""Units worked on one after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from autolabel.batch.ended import Ended, Unit


class Here:
    """No engine, no other process.

    Args:
        call: how a unit is worked on, where more is to be done than to call it.
    """

    workers = 1

    def __init__(self, call: Callable[[Unit], Ended] = lambda unit: unit()) -> None:
        self._call = call
        self.under_way: dict[str, float] = {}

    def run(self, units: Sequence[Unit]) -> Iterator[Ended | None]:
        """Works on all of them, in their order."""
        for unit in units:
            self.under_way = {unit.name: time.monotonic()}
            yield None
            ended = self._call(unit)
            self.under_way = {}
            yield ended
