"""T10: one object under two ids, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found
from fusion.checks.rule import Limits, rule
from fusion.edits import MergeTracks


@rule(
    "T10",
    "one object in two tracks",
    Severity.WARNING,
    chance=0.7,
    distance_m=1.0,
    growing_mps=1.0,
    longest_s=2.0,
    size_share=0.25,
)
def cut_track(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Where one track ends, another of the same kind and size begins on the way it was going."""
    used = [t for t in range(len(facts.tracks)) if facts.starts[t + 1] > facts.starts[t]]
    used = [t for t in used if facts.covered[[facts.starts[t], facts.starts[t + 1] - 1]].all()]
    begins = np.array([facts.starts[t] for t in used], dtype=np.int64)
    ends = np.array([facts.starts[t + 1] - 1 for t in used], dtype=np.int64)
    places, sizes = facts.world.dst_from_box.translations, facts.boxes.sizes_lwh_m
    velocity = np.nan_to_num(facts.motion.velocity_mps)
    for a, last in enumerate(ends):
        wait_s = (facts.seen_ns[begins] - facts.seen_ns[last]) / 1e9
        soon = np.flatnonzero((wait_s > 0) & (wait_s <= limits["longest_s"]))
        for b in soon:
            first = begins[b]
            if facts.kinds[used[a]] is not facts.kinds[used[b]]:
                continue
            told = places[last, :2] + velocity[last] * wait_s[b]
            back = places[first, :2] - velocity[first] * wait_s[b]
            off_m = min(np.linalg.norm(told - places[first, :2]), np.linalg.norm(back - places[last, :2]))
            allowed_m = limits["distance_m"] + limits["growing_mps"] * wait_s[b]
            alike = np.abs(np.log(sizes[first] / sizes[last])).max() < limits["size_share"]
            if off_m < allowed_m and alike:
                ids = facts.tracks[used[a]].id, facts.tracks[used[b]].id
                yield boxes_found(
                    facts,
                    np.array([last]),
                    f"goes on as {facts.tracks[used[b]].category} {ids[1]} after {wait_s[b]:.1f} s",
                    value=float(off_m),
                    limit=allowed_m,
                    fix=MergeTracks(*ids),
                    other=used[b],
                )
