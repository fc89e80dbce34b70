"""What a test says of a rule: what to spoil, and what must be found then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import pytest

from fusion.categories import kind_of
from fusion.checks import Finding, Severity
from fusion.checks.check import asked, check
from fusion.checks.facts import Facts
from fusion.checks.rules import RULES
from fusion.edits import apply_automatic
from fusion.labels import LabelSet
from fusion.log import DriveLog
from tests.checks.made_streets import RIGHT, START_NS, STEP_NS, Thing, labels_of, locked, log_of, only

FRAMES = 12


@dataclass(frozen=True)
class Case:
    """One way in which labels are wrong.

    Attributes:
        rule: that has to find it, and nothing else.
        spoil: makes it wrong.
        id: of the track that it is told of.
        says: part of the words.
        value: what is measured, about.
        limit: what is allowed, exactly; or the name of the rule's limit that says it.
        eased: other limits, with which it is allowed.
        frames: in which; all of the track's where None.
        mended: whether the rule knows how to repair it.
        within: how far the value may be off.
        things: what is in the street.
        length: of the street, in frames.
        sweeps: whether the LiDAR is there.
    """

    rule: str
    spoil: Callable[[LabelSet], LabelSet]
    id: str
    says: str
    value: float | None = None
    limit: float | str | None = None
    eased: Mapping[str, float] = field(default_factory=dict)
    frames: tuple[int, ...] | None = None
    mended: bool = False
    within: float = 1e-6
    things: tuple[Thing, ...] = RIGHT
    length: int = FRAMES
    sweeps: bool = False

    @property
    def right(self) -> LabelSet:
        return labels_of(self.things, self.length)

    @cached_property
    def wrong(self) -> LabelSet:
        return self.spoil(self.right)

    @cached_property
    def seen(self) -> Facts:
        """What rules see of the wrong labels."""
        return self.facts(self.wrong)

    def facts(self, labels: LabelSet) -> Facts:
        return check(_log(self.things, self.length, self.sweeps), labels, only(self.rule)).facts

    def found(self, **changes: object) -> list[Finding]:
        return self.said(self.seen, **changes)

    def said(self, facts: Facts, **changes: object) -> list[Finding]:
        return asked(facts, only(self.rule, **changes))[0]

    def __str__(self) -> str:
        return f"{self.rule} {self.id} {self.says}".replace(" ", "-")


@cache
def _log(things: tuple[Thing, ...], length: int, sweeps: bool) -> DriveLog:
    return log_of(things, length, sweeps=sweeps)


@cache
def _right(things: tuple[Thing, ...], length: int, sweeps: bool) -> Facts:
    return check(_log(things, length, sweeps), labels_of(things, length)).facts


def holds(case: Case) -> None:
    """Silent on right labels; else found where it is, with value and limit."""
    assert case.said(_right(case.things, case.length, case.sweeps)) == []
    (one,) = case.found()
    assert (one.rule, one.track_id) == (case.rule, case.id)
    assert case.says in one.words
    frames = tuple((t - START_NS) // STEP_NS for t in one.timestamps_ns)
    expected = case.frames
    if expected is None:
        expected = tuple((t - START_NS) // STEP_NS for t in case.wrong.tracks[case.id].annotations)
    assert frames == expected
    if case.value is not None:
        assert one.value == pytest.approx(case.value, abs=case.within)
    rule = next(rule for rule in RULES if rule.id == case.rule)
    limit = case.limit
    if isinstance(limit, str):
        kind = kind_of(case.wrong.tracks[case.id].category)
        limit = rule.by_kind.get(kind, rule.usual).get(limit, rule.usual[limit])
    if limit is not None:
        assert one.limit == pytest.approx(limit)
    assert one.severity is rule.severity and 0 < one.chance <= 1 and one.repair_s > 0


def mends(case: Case) -> None:
    """Its repair, where there is one, makes it silent, and leaves alone what a person has confirmed."""
    (one,) = case.found()
    assert (one.fix is not None) is case.mended
    if one.fix is not None:
        assert case.said(case.facts(apply_automatic(case.wrong, one.fix))) == []
    kept = locked(case.wrong, case.id)
    for finding in case.said(case.facts(kept)):
        if finding.fix is not None:
            after = apply_automatic(kept, finding.fix)
            before = kept.tracks[case.id].annotations
            assert {t: after.tracks[case.id].annotations[t] for t in before} == before


def heeds(case: Case) -> None:
    """A project can ease its limits, for a class or a kind too, change how bad it is, or switch it off."""
    category = case.wrong.tracks[case.id].category
    assert case.found(skip=True) == []
    assert [one.severity for one in case.found(severity="info")] == [Severity.INFO]
    if not case.eased:
        return
    assert case.found(limits=case.eased) == []
    assert case.found(classes={category: case.eased}) == []
    assert case.found(classes={kind_of(category).value: case.eased}) == []
    assert len(case.found(classes={"unicorn": case.eased})) == 1
