"""I4: numbers that no box can have. I5: boxes at instants that the log does not know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, remove, track_found
from fusion.checks.rule import Limits, rule


@rule("I4", "unusable box", Severity.MANDATORY, chance=0.99, farthest_m=500.0)
def unusable(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Its place is not a number, or nowhere near the car."""
    places = facts.boxes.dst_from_box.translations
    away_m = np.linalg.norm(places, axis=1)
    wrong = ~np.isfinite(places).all(axis=1) | ~(away_m <= limits["farthest_m"])
    for rows in facts.episodes(wrong):
        words = f"{away_m[rows].max():.0f} m from the car {frames_said(rows)}"
        fix = remove(facts, rows, "Remove unusable boxes")
        worst_m = float(away_m[rows].max())
        yield boxes_found(facts, rows, words, value=worst_m, limit=limits["farthest_m"], fix=fix)


@rule("I5", "not a frame of the log", Severity.MANDATORY, chance=0.99)
def no_frame(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Labels belong to the log's frames."""
    for rows in facts.episodes(facts.frames < 0):
        words = f"at instants that are no frames of the log: {len(rows)} of its boxes"
        yield boxes_found(facts, rows, words)


@rule("I6", "empty track", Severity.INFO, chance=0.9)
def empty_track(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """A track without a box claims nothing."""
    for track in facts.tracks:
        if not track.annotations and not track.image_boxes:
            yield Finding("", Severity.INFO, "has no boxes", 1.0, track_id=track.id, fix=None)


@rule("I7", "length and width swapped", Severity.WARNING, chance=0.8, least_share=1.15)
def swapped_sides(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Vehicles are longer than wide; other tools write width before length."""
    for number in range(len(facts.tracks)):
        rows = facts.rows(number)
        if rows.start == rows.stop or not facts.kinds[number].is_vehicle:
            continue
        length_m, width_m, _ = np.median(facts.boxes.sizes_lwh_m[rows], axis=0)
        if width_m > limits["least_share"] * length_m:
            words = f"wider ({width_m:.2f} m) than long ({length_m:.2f} m)"
            yield track_found(facts, number, words, value=width_m / length_m, limit=limits["least_share"])
