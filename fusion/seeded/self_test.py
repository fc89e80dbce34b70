"""How well a check finds what is wrong: errors are seeded, looked for, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fusion.checks import Finding
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.seeded.power import Power
from fusion.seeded.score import of_one_seed, score_findings
from fusion.seeded.seed import seed_errors
from fusion.seeded.seeded import SeedConfig
from fusion.seeded.survey import Survey

Check = Callable[[DriveLog, LabelSet], Sequence[Finding]]


def self_test(
    log: DriveLog,
    labels: LabelSet,
    check: Check,
    config: SeedConfig | None = None,
    seeds: Iterable[int] = range(5),
    progress: Progress | None = None,
) -> Power:
    """Seeds errors into labels that are taken for right, checks them, and counts what was found.

    Args:
        log: the log of these labels.
        labels: best such as are right: what a check says of them before is not counted as found.
        check: all that it finds, the head of its queue first.
        config: which errors; its seed is replaced.
        seeds: one round of errors each.
        progress: told after every round.
    """
    config = config or SeedConfig()
    listed = list(seeds)
    survey = Survey.of(log, labels, config.run, progress)
    before = check(log, labels)
    powers = []
    for number, seed in enumerate(listed):
        seeded = seed_errors(log, labels, replace(config, seed=seed), survey)
        after = check(seeded.log, seeded.labels)
        powers.append(of_one_seed(score_findings(seeded, before, after), seed))
        if progress is not None:
            progress("self-test", number + 1, len(listed))
    return Power.together(powers)
