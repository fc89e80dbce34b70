"""C4: a box that is higher or lower than its object in the images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, Need, rule


@rule(
    "C4",
    "another size in the images",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.POSES, Need.EVIDENCE],
    ratio=1.25,
    least_images=5,
)
def other_size(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Where images show top and bottom, its height differs from theirs; nuScenes fits boxes to the images."""
    assert facts.pictured is not None
    judgement = facts.pictured.judgement
    pairs = judgement.pairs
    both = pairs.usable[:, 1] & pairs.usable[:, 3]
    seen_px = pairs.seen_px[:, 3] - pairs.seen_px[:, 1]
    expected_px = judgement.expected_px[:, 3] - judgement.expected_px[:, 1]
    both &= (seen_px > 0) & (expected_px > 0)
    for track in np.unique(pairs.views.tracks[both]).tolist():
        mine = both & (pairs.views.tracks == track)
        if mine.sum() < limits["least_images"]:
            continue
        ratio = float(np.median(expected_px[mine] / seen_px[mine]))
        excess = max(ratio, 1 / ratio)
        if excess > limits["ratio"]:
            way = "higher" if ratio > 1 else "lower"
            words = f"{100 * abs(ratio - 1):.0f} % {way} than its object in {mine.sum()} images"
            yield track_found(facts, track, words, value=excess, limit=limits["ratio"])
