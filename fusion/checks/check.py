"""All rules against one log and its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from calib.errors import CrosslabelError
from fusion.checks.config import CheckConfig
from fusion.checks.evidence import Evidence, evidence_in
from fusion.checks.facts import Facts, Looks, Watcher
from fusion.checks.facts.examined import Examined
from fusion.checks.facts.pictured import Pictured
from fusion.checks.finding import Finding
from fusion.checks.rule import Rule
from fusion.checks.rules import RULES
from fusion.ground import Ground
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

ACCEPTED = "accepted"
# Searches a log for objects, and shows on the way each sweep that it reads.
Search = Callable[[Watcher], LabelSet | None]


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
    candidates: LabelSet | Search | None = None,
    evidence: Sequence[Evidence] = (),
    grounds: Mapping[int, Ground] | None = None,
    sensors: bool = False,
    progress: Progress | None = None,
) -> Checked:
    """Asks every rule.

    Args:
        log: what was measured; each sweep in which something is labelled is read once, and not kept.
        labels: what is claimed.
        config: what the project changes; nothing unless given.
        candidates: objects that something else claims, such as a detector, in frames of the log; or what
            searches for them, so that a sweep that both want is read once.
        evidence: rectangles in images that do not come from the boxes, beside those that the labels hold.
        grounds: those of frames, by their instants, where they are known already.
        sensors: whether calibration and clocks are looked at without any label too; reads all images.
        progress: told of sweeps read.

    Raises:
        CrosslabelError: the labels belong to another log.
    """
    config = config or CheckConfig()
    facts = replace(Facts.of(log, labels), schema=config.labels)
    if len(facts) and (facts.frames < 0).all():
        raise CrosslabelError(
            f"none of the {len(facts)} labelled boxes lies at a frame of {log.name}: labels of another log?"
        )
    looks = Looks(log, facts.by_frame, facts.boxes, grounds)
    claimed = candidates(looks.see) if callable(candidates) else candidates
    scanned = looks.rest(progress) if any(log.sweeps.values()) else None
    told = [*evidence, *evidence_in(labels)]
    pictured = Pictured.of(log, labels, told) if told and facts.poses_known else None
    examined = Examined.of(log, progress) if sensors else None
    facts = replace(facts, scanned=scanned, candidates=claimed, pictured=pictured, examined=examined)
    findings, skipped = asked(facts, config)
    settled = {review.id for review in labels.reviews.values() if review.state == ACCEPTED}
    return Checked(
        findings=tuple(one for one in findings if one.id not in settled),
        accepted=tuple(one for one in findings if one.id in settled),
        skipped=skipped,
        facts=facts,
    )


def asked(
    facts: Facts, config: CheckConfig, rules: Iterable[Rule] = RULES
) -> tuple[list[Finding], dict[str, str]]:
    """What rules say of what is known, and why some were not asked."""
    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for rule in rules:
        changes, missing = config.of(rule), rule.missing(facts)
        if changes.skip:
            skipped[rule.id] = "switched off by the project"
        elif missing is not None:
            skipped[rule.id] = missing
        else:
            findings += rule.run(facts, config.limits_of(rule), changes.severity or rule.severity)
    return findings, skipped
