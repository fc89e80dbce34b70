"""P9: a size unlike the others of the class in this log."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, rule

SIDES = ("length", "width", "height")
MIXED = {"deviations": 6.0, "least_share": 0.6}
# By how much things of one class differ at least, as a share: cars hold vans, which are higher.
VARY = (0.07, 0.06, 0.12)
# How long and wide a person is changes with every step.
SOFT = (Kind.PEDESTRIAN, Kind.ANIMAL)


@rule(
    "P9",
    "unusual size",
    Severity.INFO,
    chance=0.25,
    whole=True,
    by_kind={
        Kind.TRUCK: MIXED,
        Kind.BUS: MIXED,
        Kind.TRAILER: MIXED,
        Kind.OTHER: {"deviations": 1e9},
    },
    deviations=4.5,
    least_share=0.25,
    least_tracks=8,
)
def unusual_size(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Far from the median of its class, in units of the usual deviation from it."""
    some = [track for track in range(len(facts.tracks)) if facts.rows(track).stop > facts.rows(track).start]
    sizes = np.array(
        [np.median(facts.boxes.sizes_lwh_m[facts.rows(track)], axis=0) for track in some]
    ).reshape(-1, 3)
    classes = np.array([facts.tracks[track].category for track in some])
    for category in np.unique(classes):
        of_it = np.flatnonzero(classes == category)
        if len(of_it) < limits["least_tracks"]:
            continue
        logs = np.log(sizes[of_it])
        middle = np.median(logs, axis=0)
        usual = np.maximum(1.4826 * np.median(np.abs(logs - middle), axis=0), VARY)
        away = np.abs(logs - middle) / usual
        kind = facts.kinds[some[of_it[0]]]
        most, least = (limits.of(name, str(category), kind) for name in ("deviations", "least_share"))
        if kind in SOFT:
            away[:, :2] = 0.0
        wrong = (away > most) & (np.abs(np.expm1(logs - middle)) > least)
        for k in np.flatnonzero(wrong.any(axis=1)):
            side = int(np.argmax(np.where(wrong[k], away[k], -1)))
            words = (
                f"{SIDES[side]} of {sizes[of_it[k], side]:.2f} m; "
                f"{category} here mostly {np.exp(middle[side]):.2f} m"
            )
            yield track_found(facts, some[of_it[k]], words, value=away[k, side], limit=most)
