"""Why a box wants a look, in words that stay the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calib.types import F64, Bools

HEADING, KIND, SIZE, PLACE = "heading unsure", "class unsure", "size unsure", "place unsure"
ONE_SIDE = "seen from one side only: size unsure"
NOTHING, TWICE = "may be nothing", "overlaps another box"
FEW, FAR, HIDDEN, KEY = "few points", "far away", "occluded", "far from a key frame"
CROSSED, STICKS, LIES = "free space crosses it", "points stick out", "beside its points"
UNDETECTED, MOVES, LIFTED, END = (
    "not detected here",
    "moves oddly",
    "off the ground",
    "near the end of its track",
)

DEFAULTS = {"kind": KIND, "size": SIZE, "heading": HEADING, "place": PLACE}
WORDS: dict[str, dict[str, str]] = {
    "kind": {
        "odds": NOTHING, "hits": NOTHING, "surest": NOTHING, "sureness": NOTHING,
        "seen_through": CROSSED, "doubled": TWICE, "best_points": FEW, "seen": FEW,
    },
    "size": {"both_ends": ONE_SIDE, "end_points": ONE_SIDE, "side_points": ONE_SIDE, "both_sides": ONE_SIDE},
    "heading": {},
    "place": {
        "points": FEW, "fewer": FEW, "leverage": FEW, "best_points": FEW, "seen": FEW,
        "end_points": FEW, "side_points": FEW,
        "away_m": FAR, "nearest_m": FAR,
        "before": HIDDEN, "hidden": HIDDEN,
        "key_s": KEY, "gap_s": KEY,
        "through": CROSSED, "seen_through": CROSSED,
        "out": STICKS, "more_out": STICKS, "sticking": STICKS, "longer_m": STICKS,
        "wider_m": STICKS, "higher_m": STICKS,
        "near_end_m": LIES, "near_side_m": LIES, "top_m": LIES, "shift_m": LIES, "shift_z": LIES,
        "beyond_x": LIES, "beyond_y": LIES, "short_x": LIES, "short_y": LIES, "spread_m": LIES,
        "turn_rad": LIES, "turned": LIES, "tilted_rad": LIES,
        "shorter_m": LIES, "narrower_m": LIES,
        "shared": TWICE, "doubled": TWICE,
        "since_s": UNDETECTED, "hits": UNDETECTED,
        "speed_mps": MOVES, "slip_rad": MOVES, "jump_m": MOVES, "fastest_mps": MOVES, "way_m": MOVES,
        "lifted_m": LIFTED, "lift_m": LIFTED,
        "end_s": END,
    },
}  # fmt: skip


def reason(part: str, said: Mapping[str, F64], rows: Bools) -> list[str]:
    """For each of some boxes the words for what costs it most; what each feature said is (N,)."""
    words = [DEFAULTS[part], *sorted(set(WORDS[part].values()))]
    costs = np.zeros((len(words), int(rows.sum())))
    for name, values in said.items():
        costs[words.index(WORDS[part].get(name, DEFAULTS[part]))] += values[rows]
    return [words[k] for k in np.argmin(costs, axis=0)]
