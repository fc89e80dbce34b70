"""What is worked on, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from autolabel.runs import Outcome
from fusion.progress import Progress


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one log.

    Attributes:
        name: of the log.
        outcome: done, up to date, or failed.
        reason: why it failed, in one line.
        told: what else is to be said of it, as JSON holds it.
        disk_full: whether it failed for want of space.
    """

    name: str
    outcome: Outcome
    reason: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    disk_full: bool = False


class Unit(Protocol):
    """One log to be worked on: small, so that it can be sent; the same again does what is missing."""

    @property
    def name(self) -> str:
        """Of the log; no two of a batch have the same."""

    def __call__(self, progress: Progress | None = None) -> Ended:
        """Works on it. Whatever goes wrong with the log is said in what is returned."""


class Pool(Protocol):
    """Where units are worked on."""

    @property
    def workers(self) -> int:
        """How many there are now."""

    @property
    def under_way(self) -> Mapping[str, float]:
        """The units that are worked on, and since when (monotonic seconds)."""

    def run(self, units: Sequence[Unit]) -> Iterator[Ended | None]:
        """Works on all of them; None comes about twice a second, so that the caller can tell of it.

        Raises:
            CrosslabelError: nothing can be worked on any more.
        """
