"""P2: an object of which the LiDAR hardly saw anything in the whole drive."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, Need, rule


@rule("P2", "few points", Severity.INFO, chance=0.1, needs=[Need.SWEEPS], least_points=5)
def few_points(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """No sweep has enough points in it to tell where it is."""
    scanned = facts.scanned
    assert scanned is not None
    least = limits.of_tracks("least_points", facts)
    for track in range(len(facts.tracks)):
        rows = facts.rows(track)
        most = int(scanned.inside[rows].max(initial=0, where=scanned.there[rows]))
        if scanned.there[rows].any() and most < least[track]:
            yield track_found(
                facts, track, f"never more than {most} points in it", value=most, limit=least[track]
            )
