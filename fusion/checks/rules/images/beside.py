"""C1: a box that stands beside its object in the images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from fusion.checks.blame import BoxBlame
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import A_BOX_S, GO_THERE_S, MOST_BOXES
from fusion.checks.rule import Limits, Need, rule


@rule(
    "C1",
    "beside its object",
    Severity.WARNING,
    chance=0.4,
    needs=[Need.POSES, Need.EVIDENCE],
    sigmas=6.0,
    least_px=6.0,
    least_m=0.3,
    most_px=150.0,
)
def beside(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Rectangles in the images say that a box, or a whole track, stands elsewhere.

    Errors of the cameras' places and clocks are taken out first (see docs/blame.md). Further away than some
    it is the rectangle of another object.
    """
    assert facts.pictured is not None
    by_track: defaultdict[str, list[BoxBlame]] = defaultdict(list)
    for one in facts.pictured.judgement.boxes:
        large = float(np.linalg.norm(one.shift_m)) >= limits["least_m"]
        told = limits["least_px"] <= abs(one.shift_px) <= limits["most_px"]
        if large and told and one.sigmas >= limits["sigmas"]:
            by_track[one.track_id].append(one)
    for track_id, some in by_track.items():
        worst = max(some, key=lambda one: one.sigmas)
        times_ns = dict.fromkeys([*worst.timestamps_ns, *(t for one in some for t in one.timestamps_ns)])
        more = f", and {len(some) - 1} others" if len(some) > 1 and not worst.whole else ""
        yield Finding(
            rule="",
            severity=Severity.INFO,
            words=f"{worst.words}{more}",
            repair_s=GO_THERE_S + A_BOX_S * min(len(times_ns), MOST_BOXES),
            track_id=track_id,
            timestamps_ns=tuple(int(t) for t in times_ns),
            value=worst.sigmas,
            limit=limits["sigmas"],
        )
