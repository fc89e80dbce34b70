"""All rules against one log and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calib.errors import CrosslabelError
from fusion.checks.config import CheckConfig
from fusion.checks.facts import Facts, Scanned
from fusion.checks.finding import Finding
from fusion.checks.rules import RULES
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

ACCEPTED = "accepted"


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """What a check of one log says.

    Attributes:
        findings: those that nobody has accepted, rule by rule.
        accepted: those that a person has accepted as right.
        skipped: by id, why a rule was not asked.
        facts: what the rules saw.
    """

    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    skipped: Mapping[str, str]
    facts: Facts


def check(
    log: DriveLog,
    labels: LabelSet,
    config: CheckConfig | None = None,
    *,
    candidates: LabelSet | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Asks every rule.

    Args:
        log: what was measured; each sweep in which something is labelled is read once, and not kept.
        labels: what is claimed.
        config: what the project changes; nothing unless given.
        candidates: objects that something else claims, such as a detector; frames of the log.
        progress: told of sweeps read.

    Raises:
        CrosslabelError: the labels belong to another log.
    """
    config = config or CheckConfig()
    facts = replace(Facts.of(log, labels), candidates=candidates, schema=config.labels)
    if len(facts) and (facts.frames < 0).all():
        raise CrosslabelError(
            f"none of the {len(facts)} labelled boxes lies at a frame of {log.name}: labels of another log?"
        )
    if any(log.sweeps.values()):
        facts = replace(facts, scanned=Scanned.of(log, facts.by_frame, facts.boxes, progress))
    findings, skipped = asked(facts, config)
    settled = {review.id for review in labels.reviews.values() if review.state == ACCEPTED}
    return Checked(
        findings=tuple(one for one in findings if one.id not in settled),
        accepted=tuple(one for one in findings if one.id in settled),
        skipped=skipped,
        facts=facts,
    )


def asked(facts: Facts, config: CheckConfig) -> tuple[list[Finding], dict[str, str]]:
    """What all rules say of what is known, and why some were not asked."""
    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for rule in RULES:
        changes, missing = config.of(rule), rule.missing(facts)
        if changes.off:
            skipped[rule.id] = "switched off by the project"
        elif missing is not None:
            skipped[rule.id] = missing
        else:
            findings += rule.run(facts, config.limits_of(rule), changes.severity or rule.severity)
    return findings, skipped
