"""K2: a camera that looks elsewhere than the rig says, or whose clock is off."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.checks.blame import Culprit
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.rule import Limits, Need, rule

REPAIR_S = 60.0


@rule("K2", "camera is off", Severity.WARNING, chance=0.8, needs=[Need.POSES, Need.EVIDENCE])
def camera_off(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """All objects of a camera stand beside their rectangles by the same turn, or by the same time.

    A turn moves the near and the far alike, a time moves what passes fast (see docs/blame.md).
    """
    assert facts.pictured is not None
    for name, blame in facts.pictured.judgement.cameras.items():
        if blame.culprit in (Culprit.CALIBRATION, Culprit.CLOCK, Culprit.BOTH):
            yield Finding("", Severity.INFO, blame.words, REPAIR_S, camera=name)
