"""Rules are asked in the background, and no longer than somebody waits."""

import threading

import pytest

from fusion.checks.config import CheckConfig
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding
from fusion.checks.rule import Rule
from fusion.labels import LabelSet
from fusion.log import DriveLog
from viewer.review import findings
from viewer.review.checking import Checking


def test_no_further_rule_is_asked_once_the_window_is_closed(
    street: tuple[DriveLog, LabelSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, labels = street
    asked, failed = [], []
    begun, closed = threading.Event(), threading.Event()

    def slowly(facts: Facts, config: CheckConfig, rules: list[Rule]) -> tuple[list[Finding], dict[str, str]]:
        asked.extend(rule.id for rule in rules)
        begun.set()
        assert closed.wait(20)
        return [], {}

    monkeypatch.setattr(findings, "asked", slowly)
    checking = Checking(log, CheckConfig(), lambda: labels, lambda do: do(), failed=failed.append)
    checking.on = True
    checking.noticed()
    assert begun.wait(20)
    pool = checking._pools[0]
    checking.close()
    closed.set()
    pool.shutdown(wait=True)
    assert len(asked) == 1
    assert not checking.busy
    assert failed == []
