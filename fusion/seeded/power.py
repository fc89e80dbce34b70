"""How much of what is wrong a check finds, and how much of what it finds is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from calib.types import F64
from fusion.seeded.kinds import ErrorKind, amount_words
from fusion.seeded.rules import names
from fusion.seeded.share import Share, added

GRID: F64 = np.linspace(0.0, 1.0, 201)
FIRSTS = (50, 100)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the errors of one level.

    Attributes:
        kind: what was wrong.
        amount: by how much.
        gross: whether every check has to find it.
        errors: how many were made.
        caught: to how many a finding leads.
        named: how many a rule found that tells of this kind of error.
        rules: new findings about these errors, by rule.
    """

    kind: ErrorKind
    amount: float
    gross: bool
    errors: int = 0
    caught: int = 0
    named: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)

    @property
    def findings(self) -> int:
        """New findings about these errors by rules that tell of this kind."""
        return sum(count for rule, count in self.rules.items() if names(rule, self.kind))

    def plus(self, other: Found) -> Found:
        """Both together."""
        sums = (self.errors + other.errors, self.caught + other.caught, self.named + other.named)
        return Found(self.kind, self.amount, self.gross, *sums, Counter(self.rules) + Counter(other.rules))


@dataclass(frozen=True, slots=True)
class Row:
    """The power for some errors: those of a kind, of one level, the gross ones, all.

    Attributes:
        name: which errors.
        recall: of the errors, those that a finding leads to.
        named: of the errors, those found by a rule that tells of this kind.
        precision: of the new findings by such rules, those about these errors. Of its false findings a rule
            owes to some errors as many as they are of all errors that it tells of.
        precision_exact: the same where all findings in the undisturbed labels are false too.
    """

    name: str
    recall: Share
    named: Share
    precision: Share
    precision_exact: Share

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        shares = {name: getattr(self, name).as_dict() for name in self.__slots__[1:]}
        return {"name": self.name, **shares}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule found.

    Attributes:
        id: of the rule.
        precision: of its new findings, those about errors.
        precision_exact: the same where all its findings in the undisturbed labels are false too.
        kinds: of the errors that they were about, the most frequent first.
    """

    id: str
    precision: Share
    precision_exact: Share
    kinds: tuple[ErrorKind, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Power:
    """What a check found of seeded errors, over one seed or several.

    Attributes:
        found: by level.
        right: new findings about errors, by rule.
        wrong_new: new findings about nothing, by rule.
        wrong_before: findings in the undisturbed labels, by rule; once a seed.
        first_new: for each of `FIRSTS`, of so many new findings at the head of the queue those about errors.
        first_exact: the same of all findings at its head.
        caught_by_share: (len(GRID),) errors caught when that share of the object-frames has been opened.
        seeds: how often errors were made.
        missed: the errors that nothing led to, in words.
        left_out: which kinds of errors could not be made.
    """

    found: Mapping[tuple[ErrorKind, float], Found]
    right: Mapping[str, int]
    wrong_new: Mapping[str, int]
    wrong_before: Mapping[str, int]
    first_new: Mapping[int, Share]
    first_exact: Mapping[int, Share]
    caught_by_share: F64
    seeds: int = 1
    missed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @classmethod
    def together(cls, powers: Sequence[Power]) -> Power:
        """Of several seeds or logs, every error counted alike."""
        found: dict[tuple[ErrorKind, float], Found] = {}
        for power in powers:
            for key, each in power.found.items():
                found[key] = found[key].plus(each) if key in found else each
        order = list(ErrorKind)
        return cls(
            dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))),
            sum((Counter(power.right) for power in powers), Counter()),
            sum((Counter(power.wrong_new) for power in powers), Counter()),
            sum((Counter(power.wrong_before) for power in powers), Counter()),
            {count: added(power.first_new[count] for power in powers) for count in FIRSTS},
            {count: added(power.first_exact[count] for power in powers) for count in FIRSTS},
            np.sum([power.caught_by_share for power in powers], axis=0) if powers else np.zeros(len(GRID)),
            sum(power.seeds for power in powers),
            tuple(word for power in powers for word in power.missed),
            tuple(sorted({word for power in powers for word in power.left_out})),
        )

    @property
    def errors(self) -> int:
        """How many were made."""
        return sum(each.errors for each in self.found.values())

    @property
    def recall_by_share(self) -> F64:
        """(len(GRID),) share of the errors caught when `GRID` of the object-frames has been opened."""
        return np.asarray(self.caught_by_share / max(self.errors, 1))

    def opened_for(self, recall: float = 0.9) -> float | None:
        """The share of object-frames to open to catch this share of the errors; None: never reached."""
        enough = np.flatnonzero(self.recall_by_share >= recall - 1e-12)
        return float(GRID[enough[0]]) if len(enough) and self.errors else None

    def kinds(self) -> list[Row]:
        """A row for each kind of error that was made."""
        made = dict.fromkeys(each.kind for each in self.found.values())
        return [self._row(kind.value, self._of_kind(kind)) for kind in made]

    def levels(self, kind: ErrorKind) -> list[Row]:
        """A row for each amount of one kind."""
        return [self._row(amount_words(kind, each.amount), [each]) for each in self._of_kind(kind)]

    def gross(self) -> Row:
        """The errors that every check has to find."""
        return self._row("gross errors", [each for each in self.found.values() if each.gross])

    def all(self) -> Row:
        """All errors; precision of all rules."""
        every = list(self.found.values())
        right, wrong = sum(self.right.values()), sum(self.wrong_new.values())
        return Row(
            "all errors",
            Share(sum(each.caught for each in every), self.errors),
            Share(sum(each.named for each in every), self.errors),
            Share(right, right + wrong),
            Share(right, right + wrong + sum(self.wrong_before.values())),
        )

    def rules(self) -> list[Rule]:
        """What each rule found."""
        known = sorted({*self.right, *self.wrong_new, *self.wrong_before}, key=_by_number)
        return [self._rule(rule) for rule in known]

    def _rule(self, rule: str) -> Rule:
        right, wrong = self.right.get(rule, 0), self.wrong_new.get(rule, 0)
        before = self.wrong_before.get(rule, 0)
        kinds: Counter[ErrorKind] = Counter()
        for each in self.found.values():
            kinds[each.kind] += each.rules.get(rule, 0)
        told = tuple(kind for kind, count in kinds.most_common() if count)
        return Rule(rule, Share(right, right + wrong), Share(right, right + wrong + before), told)

    def _of_kind(self, kind: ErrorKind) -> list[Found]:
        return [each for each in self.found.values() if each.kind is kind]

    def _row(self, name: str, some: Sequence[Found]) -> Row:
        errors, right = sum(each.errors for each in some), sum(each.findings for each in some)
        wrong = self._owed(self.wrong_new, some)
        wrong_exact = wrong + self._owed(self.wrong_before, some)
        return Row(
            name,
            Share(sum(each.caught for each in some), errors),
            Share(sum(each.named for each in some), errors),
            Share(right, right + wrong),
            Share(right, right + wrong_exact),
        )

    def _owed(self, wrong: Mapping[str, int], some: Sequence[Found]) -> float:
        """The part of the false findings that these errors have to answer for."""
        owed = 0.0
        for rule, count in wrong.items():
            told = sum(each.errors for each in self.found.values() if names(rule, each.kind))
            own = sum(each.errors for each in some if names(rule, each.kind))
            owed += count * own / told if told else 0.0
        return owed


def _by_number(rule: str) -> tuple[str, int, str]:
    """P2 before P10."""
    digits = "".join(c for c in rule[1:] if c.isdigit())
    return rule[:1], int(digits or 0), rule
