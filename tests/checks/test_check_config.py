"""What a project may change about the rules, and what it is told where it asks for what is not there."""

import pytest
from pydantic import ValidationError

from fusion.categories import Kind
from fusion.checks.check import check
from fusion.checks.config import CheckConfig
from fusion.checks.finding import Severity
from fusion.checks.rules import RULES
from tests.checks.made_streets import RIGHT, changed, labels_of, log_of, only, sized


def limit(config: CheckConfig, rule: str, name: str, category: str, kind: Kind) -> float:
    found = next(one for one in RULES if one.id == rule)
    return config.limits_of(found).of(name, category, kind)


def changes(rule: str, **said: object) -> CheckConfig:
    return CheckConfig.model_validate({"rules": {rule: said}})


def test_every_rule_explains_itself() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.title and rule.why and 0 < rule.chance < 1, rule.id
        assert all(set(limits) <= set(rule.usual) for limits in rule.by_kind.values()), rule.id


def test_limits_of_a_class_count_before_those_of_its_kind_and_of_all() -> None:
    usual = CheckConfig()
    assert limit(usual, "P4", "gap_m", "car", Kind.CAR) == 0.3
    assert limit(usual, "P4", "gap_m", "bus", Kind.BUS) == 0.4
    for_all = changes("P4", limits={"gap_m": 0.2})
    assert {limit(for_all, "P4", "gap_m", kind.value, kind) for kind in Kind} == {0.2}
    for_kind = changes("P4", limits={"gap_m": 0.2}, classes={"car": {"gap_m": 0.25}})
    assert limit(for_kind, "P4", "gap_m", "Van", Kind.CAR) == 0.25
    assert limit(for_kind, "P4", "gap_m", "bus", Kind.BUS) == 0.2
    both = changes("P4", classes={"car": {"gap_m": 0.25}, "Van": {"gap_m": 0.5}})
    assert limit(both, "P4", "gap_m", "Van", Kind.CAR) == 0.5
    assert limit(both, "P4", "gap_m", "Car", Kind.CAR) == 0.25


def test_a_class_of_its_own_name_differs_from_others_of_its_kind() -> None:
    log, labels = log_of(RIGHT, sweeps=False), labels_of(RIGHT)
    for id in ("parked", "bend"):
        labels = changed(labels, id, [4], sized(length=1.2))
    eased = only("T1", classes={"car": {"share": 0.5}}, severity="mandatory")
    assert check(log, labels, eased).findings == ()
    two = check(log, labels, only("T1", severity="mandatory")).findings
    assert [one.track_id for one in two] == ["parked", "bend"]
    assert {one.severity for one in two} == {Severity.MANDATORY}


def test_rules_that_are_off_are_told() -> None:
    checked = check(log_of(RIGHT, sweeps=False), labels_of(RIGHT), changes("T1", skip=True))
    assert checked.skipped["T1"] == "switched off by the project"
    assert checked.skipped["P1"] == "needs sweeps"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"labels": {"classes": ["van"]}, "rules": {"P9": {"classes": {"vans": {}}}}},
            "P9: 'vans' is no class of the project and no kind",
        ),
        ({"rules": {"Z9": {}}}, "there is no rule Z9; there are I2, I3"),
        (
            {"rules": {"T1": {"limits": {"shares": 1}}}},
            "rule T1 (size changes) has no limit shares; it has share",
        ),
        ({"rules": {"T1": {"classes": {"car": {"gap": 1}}}}}, "has no limit gap"),
        ({"rules": {"I2": {"limits": {"gap": 1}}}}, "it has none"),
        ({"rules": {"T1": {"severity": "awful"}}}, "mandatory"),
        ({"rules": {"T1": {"limits": {"share": "wide"}}}}, "valid number"),
        ({"rules": {"T1": {"of": True}}}, "Extra inputs"),
        ({"labels": {"attributes": {"colour": {"of": "car"}}}}, "track|box"),
        ({"rule": {}}, "Extra inputs"),
    ],
)
def test_what_is_not_there_is_told(said: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        CheckConfig.model_validate(said)
    assert told in str(raised.value)
