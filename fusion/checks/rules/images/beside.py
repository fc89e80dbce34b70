"""C1: a box that stands beside its object in the images."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import A_BOX_S, GO_THERE_S, MOST_BOXES
from fusion.checks.rule import Limits, Need, rule


@rule("C1", "beside its object", Severity.WARNING, chance=0.6, needs=[Need.EVIDENCE], sigmas=4.0)
def beside(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Rectangles in the images say that a box, or a whole track, stands elsewhere.

    Errors of the cameras' places and clocks are taken out first (see docs/blame.md).
    """
    assert facts.pictured is not None
    for one in facts.pictured.judgement.boxes:
        if one.sigmas < limits["sigmas"]:
            continue
        yield Finding(
            rule="",
            severity=Severity.INFO,
            words=one.words,
            repair_s=GO_THERE_S + A_BOX_S * min(len(one.timestamps_ns), MOST_BOXES),
            track_id=one.track_id,
            timestamps_ns=tuple(one.timestamps_ns),
            value=one.sigmas,
            limit=limits["sigmas"],
        )
