"""T12: a box between key frames that lie far apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, rule
from fusion.labels import Source


@rule("T12", "far from a key frame", Severity.INFO, chance=0.3, most_s=2.0, least_speed_mps=0.5)
def interpolated(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It moves, was interpolated, and nobody has said anything of its track for seconds on either side."""
    made = np.array([a.source is Source.INTERPOLATED and not a.locked for a in facts.annotations], np.bool_)
    away_s = np.full(len(facts), 0.0)
    for track in range(len(facts.tracks)):
        span = facts.rows(track)
        keys_ns = facts.times_ns[span][~made[span]]
        if len(keys_ns):
            gaps = np.abs(facts.times_ns[span, None] - keys_ns[None]).min(axis=1)
            away_s[span] = gaps / 1e9
    moves = np.nan_to_num(facts.motion.speed_mps) > limits["least_speed_mps"]
    for rows in facts.episodes(made & moves & (away_s > limits["most_s"])):
        worst = float(away_s[rows].max())
        words = f"interpolated, up to {worst:.1f} s from the nearest key frame {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=worst, limit=limits["most_s"])
