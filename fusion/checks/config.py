"""What a project changes about the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from fusion.categories import Kind
from fusion.checks.finding import Severity
from fusion.checks.rule import Limits, Rule
from fusion.checks.rules import RULES
from fusion.checks.schema import LabelSchema


class RuleConfig(BaseModel):
    """What a project changes about one rule.

    Attributes:
        skip: it is not asked.
        severity: in place of its own.
        limits: by name.
        classes: limits for classes or kinds of their own, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    skip: bool = False
    severity: Severity | None = None
    limits: dict[str, FiniteFloat] = Field(default_factory=dict)
    classes: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)


class CheckConfig(BaseModel):
    """What a project changes about the rules, and what its labels may say.

    Attributes:
        rules: by id.
        labels: classes and attributes.

    Raises:
        ValidationError: no such rule, or a limit that the rule does not have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: dict[str, RuleConfig] = Field(default_factory=dict)
    labels: LabelSchema = Field(default_factory=LabelSchema)

    @model_validator(mode="after")
    def _known(self) -> CheckConfig:
        by_id = {rule.id: rule for rule in RULES}
        for id, changes in self.rules.items():
            if id not in by_id:
                raise ValueError(f"there is no rule {id}; there are {', '.join(by_id)}")
            for limits in (changes.limits, *changes.classes.values()):
                _require_limits(by_id[id], limits)
            if self.labels.classes:
                self._require_classes(id, changes.classes)
        return self

    def _require_classes(self, id: str, names: Iterable[str]) -> None:
        known = {*self.labels.classes, *(kind.value for kind in Kind)}
        for name in names:
            if name not in known:
                raise ValueError(f"{id}: {name!r} is no class of the project and no kind")

    def of(self, rule: Rule) -> RuleConfig:
        """What it says of one rule."""
        return self.rules.get(rule.id, RuleConfig())

    def limits_of(self, rule: Rule) -> Limits:
        """The limits that one rule has in this project."""
        changes = self.of(rule)
        kinds = {kind.value: kind for kind in Kind}
        by_kind = {kind: dict(limits) for kind, limits in rule.by_kind.items()}
        for limits in by_kind.values():
            limits.update({name: value for name, value in changes.limits.items() if name in limits})
        for name, limits in changes.classes.items():
            if name in kinds:
                by_kind.setdefault(kinds[name], {}).update(limits)
        return Limits({**rule.usual, **changes.limits}, by_kind, changes.classes)


def _require_limits(rule: Rule, limits: Mapping[str, float]) -> None:
    for name in limits:
        if name not in rule.usual:
            has = ", ".join(rule.usual) or "none"
            raise ValueError(f"rule {rule.id} ({rule.title}) has no limit {name}; it has {has}")
