"""What a rule is, and the limits that it keeps to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from calib.types import F64
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity

MOST_EXCESS = 3.0
PerKind = Mapping[Kind, Mapping[str, float]]


class Need(StrEnum):
    """What a rule cannot do without."""

    POSES = "the car's poses"
    SWEEPS = "sweeps"
    CANDIDATES = "objects that something else claims"
    EVIDENCE = "rectangles in the images that do not come from the boxes"
    EXAMINED = "a look at the sensors themselves"


@dataclass(frozen=True, eq=False, slots=True)
class Limits:
    """The limits of one rule, in one project.

    Attributes:
        usual: by name.
        by_kind: those that differ for some kinds, by name.
        by_category: those that a project changes for some classes or kinds, by name; these count most.
    """

    usual: Mapping[str, float]
    by_kind: PerKind
    by_category: Mapping[str, Mapping[str, float]]

    def __getitem__(self, name: str) -> float:
        return self.usual[name]

    def of(self, name: str, category: str, kind: Kind) -> float:
        """For one class."""
        for some in (self.by_category.get(category, {}), self.by_kind.get(kind, {})):
            if name in some:
                return some[name]
        return self.usual[name]

    def groups(self, facts: Facts) -> Iterator[tuple[frozenset[str], Limits]]:
        """The ids of tracks for which a project asks the same, with limits that are theirs by name."""
        by_names: dict[tuple[str, ...], list[str]] = {}
        for track, kind in zip(facts.tracks, facts.kinds, strict=True):
            names = tuple(name for name in dict.fromkeys((kind, track.category)) if name in self.by_category)
            by_names.setdefault(names, []).append(track.id)
        for names, ids in by_names.items():
            own = {key: value for name in names for key, value in self.by_category[name].items()}
            yield frozenset(ids), replace(self, usual={**self.usual, **own})

    def of_tracks(self, name: str, facts: Facts) -> F64:
        """(T,) for each track."""
        pairs = zip(facts.tracks, facts.kinds, strict=True)
        return np.array([self.of(name, track.category, kind) for track, kind in pairs], dtype=np.float64)

    def of_boxes(self, name: str, facts: Facts) -> F64:
        """(N,) for each row."""
        return self.of_tracks(name, facts)[facts.owners]


Find = Callable[[Facts, Limits], Iterable[Finding]]


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """One thing that labels should keep to.

    Attributes:
        id: short and stable, such as `P4`.
        title: what it finds.
        severity: of its findings, unless a project says otherwise.
        find: looks for it; what it finds gets the rule's id and severity.
        usual: its limits.
        by_kind: where these differ.
        needs: what it cannot do without.
        chance: how likely one of its findings at its limit is right (see docs/qa.md).
        why: what its limits come from.
        whole: whether it compares an object with all others of the log, however far away.
    """

    id: str
    title: str
    severity: Severity
    find: Find
    usual: Mapping[str, float]
    by_kind: PerKind
    needs: tuple[Need, ...]
    chance: float
    why: str
    whole: bool = False

    def missing(self, facts: Facts) -> str | None:
        """Why it cannot be asked; None where it can."""
        there = {
            Need.POSES: facts.poses_known or len(facts) == 0,
            Need.SWEEPS: facts.scanned is not None,
            Need.CANDIDATES: facts.candidates is not None,
            Need.EVIDENCE: facts.pictured is not None,
            Need.EXAMINED: facts.examined is not None,
        }
        lacking = [need.value for need in self.needs if not there[need]]
        return f"needs {' and '.join(lacking)}" if lacking else None

    def run(self, facts: Facts, limits: Limits, severity: Severity) -> list[Finding]:
        """All that it finds, by the limits of the class that each finding is about."""
        found = list(self.find(facts, limits))
        if limits.by_category:
            found = [one for one in found if one.track_id is None]
            for ids, own in limits.groups(facts):
                found += [one for one in self.find(facts, own) if one.track_id in ids]
        return [replace(one, rule=self.id, severity=severity, chance=self._chance(one)) for one in found]

    def _chance(self, one: Finding) -> float:
        """How likely a finding is right: the likelier, the further it is beyond its limit."""
        excess = one.value / one.limit if one.value is not None and one.limit else 1.0
        return one.chance * float(1 - (1 - self.chance) ** min(max(excess, 1.0), MOST_EXCESS))


def rule(
    id: str,
    title: str,
    severity: Severity,
    *,
    needs: Iterable[Need] = (),
    by_kind: PerKind | None = None,
    chance: float = 0.5,
    whole: bool = False,
    **usual: float,
) -> Callable[[Find], Rule]:
    """Makes a rule of the function that looks for it; numbers named here are its limits."""

    def make(find: Find) -> Rule:
        why = (find.__doc__ or "").strip()
        return Rule(id, title, severity, find, usual, by_kind or {}, tuple(needs), chance, why, whole)

    return make
