"""One ranked list: what is worth a look first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from fusion.checks.finding import Finding, Severity

# What it costs to come upon one wrong object by looking at everything, and to look at one that is named.
SEARCH_S, LOOK_S = 30.0, 4.0
WEIGHT = {Severity.MANDATORY: 1.5, Severity.WARNING: 1.0, Severity.INFO: 0.4}


@dataclass(frozen=True, eq=False, slots=True)
class Item:
    """All that is said of one object, or of one place without an object.

    Attributes:
        findings: the likeliest and gravest first.
        saved_s: the time that looking here is expected to save, against looking at everything.
    """

    findings: tuple[Finding, ...]
    saved_s: float

    @property
    def track_id(self) -> str | None:
        """The object; None for a place, a camera, or a frame."""
        return self.findings[0].track_id

    @property
    def severity(self) -> Severity:
        """The gravest."""
        return min((one.severity for one in self.findings), key=lambda severity: severity.rank)

    @property
    def chance(self) -> float:
        """How likely any of them is right."""
        return _chance(self.findings)

    @property
    def words(self) -> str:
        """All of them in one line."""
        return "; ".join(one.words for one in self.findings)

    @property
    def timestamps_ns(self) -> tuple[int, ...]:
        """The frames to look at, the one that shows most first."""
        return tuple(dict.fromkeys(t for one in self.findings for t in one.timestamps_ns))

    @property
    def repair_s(self) -> float:
        """How long a person is expected to need for all of it."""
        return sum(one.repair_s for one in self.findings)


def queue(findings: Iterable[Finding]) -> list[Item]:
    """Findings merged per object, what saves most time first; the same in every run."""
    by_place: dict[str, list[Finding]] = {}
    for one in findings:
        by_place.setdefault(one.id if one.track_id is None else f"track {one.track_id}", []).append(one)
    items = [_item(some) for some in by_place.values()]
    return sorted(items, key=lambda item: (-item.saved_s, item.track_id or "", item.findings[0].id))


def _item(findings: list[Finding]) -> Item:
    ordered = sorted(findings, key=lambda one: (-WEIGHT[one.severity] * one.chance, one.id))
    worth = max(WEIGHT[one.severity] for one in ordered)
    return Item(tuple(ordered), worth * _chance(ordered) * SEARCH_S - LOOK_S)


def _chance(findings: Iterable[Finding]) -> float:
    """How likely any of some findings is right."""
    return 1 - prod(1 - one.chance for one in findings)
