"""K1: a camera that moves during the drive. K5: mistakes of convention in the rig."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.rule import Limits, Need, rule

REPAIR_S = 120.0


@rule("K1", "camera moves", Severity.WARNING, chance=0.8, needs=[Need.EXAMINED])
def moves(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Edges of the scans and of the images agree less and less; `crosslabel drift` shows it."""
    assert facts.examined is not None
    for camera, drift in facts.examined.drifts.items():
        if drift.alarm is not None:
            times_ns = (int(facts.log.timestamps_ns[drift.alarm.since]),)
            words = f"{camera}: {drift.alarm.words}"
            yield Finding("", Severity.INFO, words, REPAIR_S, camera=camera, timestamps_ns=times_ns)


@rule("K5", "mistake in the rig", Severity.WARNING, chance=0.8, needs=[Need.EXAMINED])
def mistaken(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Another reading of the calibration fits the data much better; `crosslabel doctor` shows it."""
    assert facts.examined is not None
    for one in facts.examined.rig:
        if one.severity == "wrong":
            camera = one.sensor if one.sensor in facts.log.rig.cameras else None
            mend = f": {one.mend}" if one.mend else ""
            words, about = f"{one.message}{mend}", f"{one.sensor}: {one.code}"
            yield Finding("", Severity.INFO, words, REPAIR_S, camera=camera, about=about)
