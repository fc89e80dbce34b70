"""I9: boxes that automation itself is unsure of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found
from fusion.checks.rule import Limits, rule
from fusion.labels import LOOK, Annotation, Source

MADE = (Source.AUTO, Source.INTERPOLATED)
MOST_REASONS = 3


@rule("I9", "wants a look", Severity.WARNING, chance=0.5)
def unsure(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Automation says so in an attribute of the box, with a reason, and nobody has looked since."""
    wanting = np.array([_wants_a_look(a) for a in facts.annotations], dtype=np.bool_)
    for number in np.unique(facts.owners[wanting]):
        mine = facts.rows(int(number))
        rows = mine.start + np.flatnonzero(wanting[mine])
        reasons = Counter(str(facts.annotations[row].attributes[LOOK]) for row in rows)
        told = ", ".join(f"{why} ({count})" for why, count in reasons.most_common(MOST_REASONS))
        yield boxes_found(facts, rows, told)


def _wants_a_look(annotation: Annotation) -> bool:
    return annotation.source in MADE and not annotation.locked and LOOK in annotation.attributes
