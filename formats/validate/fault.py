"""What is wrong with a data set, counted and in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is for those who read the data set."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for.

    Attributes:
        id: stable, so that scripts may name it.
        severity: of each fault.
        title: in a few words.
        why: what becomes of a data set in which it is so.
    """

    id: str
    severity: Severity
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a rule does not hold.

    Attributes:
        rule: which.
        file: of the data set, seen from its root.
        place: of the first, such as `token '8f3a'`.
        words: of the first.
        count: how many there are of this kind in this file.
    """

    rule: Rule
    file: str
    place: str
    words: str
    count: int = 1


@dataclass(slots=True)
class Faults:
    """Faults of one kind in one file count as one, however many there are."""

    _found: dict[tuple[str, str, str], Fault] = field(default_factory=dict)

    def add(self, rule: Rule, file: str, place: str, words: str, kind: str = "") -> None:
        """Another one; `kind` tells apart what one rule finds in one file, such as the column."""
        key = (rule.id, file, kind)
        known = self._found.get(key)
        self._found[key] = (
            Fault(rule, file, place, words) if known is None else replace(known, count=known.count + 1)
        )

    def listed(self) -> list[Fault]:
        """All, the worst first, then by rule and file."""
        order = list(Severity)
        return sorted(
            self._found.values(), key=lambda one: (order.index(one.rule.severity), one.rule.id, one.file)
        )
