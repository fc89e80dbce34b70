"""What the scans show of one object: of each of its boxes, and of all together."""

from __future__ import annotations

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.confidence.looks import Looks
from autolabel.reconstruct.sizes import weighted_median
from calib.types import F64, I64, Bools

ENOUGH, MANY, MOST = 5, 30, 300.0
OPEN = 0.2
LASTING_S = 0.5
AGAINST_USUAL = (
    "shift_m", "shift_z", "beyond_x", "beyond_y", "short_x", "short_y", "more_out", "fewer", "turned",
    "lifted_m",
)  # fmt: skip
TOLD = (
    "best_points", "seen", "nearest_m", "end_points", "side_points", "both_ends", "both_sides",
    "longer_m", "wider_m", "higher_m", "shorter_m", "narrower_m", "spread_m", "sticking", "rise_m",
    "tilted_rad", "seen_through", "hidden", "doubled", "lift_m",
)  # fmt: skip


def shown_of(own: Columns, looks: Looks) -> tuple[dict[str, F64], dict[str, float]]:
    """The evidence of each of (N,) boxes of one object, and of the object as a whole, by name."""
    nothing = np.full(len(own), np.nan)
    boxes = {
        "points": looks.points,
        "shared": looks.shared,
        "before": looks.before,
        "through": looks.through,
        "away_m": looks.away_m,
        "out": looks.out,
        "leverage": looks.leverage,
        "turn_rad": np.abs(looks.turn_rad),
        "near_end_m": _near(looks, 0),
        "near_side_m": _near(looks, 1),
        "top_m": looks.edges_m[:, 4],
        **dict.fromkeys(AGAINST_USUAL, nothing),
    }
    told = dict.fromkeys(TOLD, np.nan)
    good = looks.points >= ENOUGH
    if np.isfinite(looks.points).any():
        told["best_points"] = float(np.nanmax(looks.points))
        told["seen"] = float(good.mean())
        told["nearest_m"] = float(np.nanmin(looks.away_m))
        told["hidden"] = float(np.nanmedian(looks.before))
    if good.any():
        weights = np.where(good, np.minimum(looks.points, MOST), 0.0)
        _add_whole(boxes, told, looks, weights, own)
    return boxes, told


def _near(looks: Looks, axis: int) -> F64:
    """(N,) how far the points at the near end or side lie outside of it; NaN where none is turned here."""
    eye = looks.eyes[:, axis]
    edge = np.where(eye > 0, looks.edges_m[:, 2 * axis], looks.edges_m[:, 2 * axis + 1])
    return np.where((np.abs(eye) > 1) & (looks.points > 0), edge, np.nan)


def _add_whole(
    boxes: dict[str, F64], told: dict[str, float], looks: Looks, weights: F64, own: Columns
) -> None:
    """What all boxes of an object agree on, and how far each is from that."""
    turned = _turned(looks)
    faced = (turned * looks.points[:, None])[weights > 0].max(axis=0)
    ends, sides = faced[:2], faced[2:]
    told |= {"end_points": ends.max(), "both_ends": ends.min(), "side_points": sides.max()}
    surely = np.where(own.given, weights, 0.0)
    trusted = surely if surely.any() else weights
    told |= {"both_sides": sides.min(), "sticking": usual(looks.out, trusted)}
    told |= {"seen_through": usual(looks.through, weights), "doubled": usual(looks.shared, weights)}
    told |= {"lift_m": usual(looks.floor_m, trusted), "rise_m": usual(looks.rise_m, weights)}
    told["tilted_rad"] = usual(looks.turn_rad, trusted * np.minimum(looks.leverage, MOST) ** 2)
    usual_edges_m = _usual_edges(looks, turned, weights, own.given)
    told["longer_m"], told["shorter_m"] = usual_edges_m[:2].max(), usual_edges_m[:2].min()
    told["wider_m"], told["narrower_m"] = usual_edges_m[2:4].max(), usual_edges_m[2:4].min()
    told["higher_m"] = usual_edges_m[4]
    some = weights > 0
    off_m = np.where(some[:, None], looks.edges_m - usual_edges_m, np.nan)
    shifts = _shifts(off_m, looks)
    boxes["shift_m"], boxes["shift_z"] = np.hypot(*shifts), np.abs(off_m[:, 4])
    told["spread_m"] = usual(boxes["shift_m"], weights)
    # What stands before an object may leave its near face bare, and so may few points.
    clear = weights * ((looks.before < OPEN) & (looks.points >= MANY))
    for axis, name in enumerate("xy"):
        beyond = np.fmax(off_m[:, 2 * axis], off_m[:, 2 * axis + 1])
        boxes[f"beyond_{name}"] = _lasting(beyond, weights, own.times_ns)
        boxes[f"short_{name}"] = _lasting(np.maximum(-shifts[axis], 0.0), clear, own.times_ns)
    boxes["more_out"] = looks.out - told["sticking"]
    boxes["turned"] = np.abs(looks.turn_rad - told["tilted_rad"])
    boxes["lifted_m"] = np.abs(looks.floor_m - told["lift_m"])
    expected = looks.points * looks.away_m**2
    boxes["fewer"] = expected / np.quantile(expected[some], 0.75)
    told["tilted_rad"] = abs(told["tilted_rad"])


def _turned(looks: Looks) -> Bools:
    """(N, 4) whether the front, back, left and right face are turned to the LiDAR."""
    eyes = looks.eyes
    return np.column_stack([eyes[:, 0] > 1, eyes[:, 0] < -1, eyes[:, 1] > 1, eyes[:, 1] < -1])


def _usual_edges(looks: Looks, turned: Bools, weights: F64, given: Bools) -> F64:
    """(5,) where the points end in boxes that were given, or else in all: outside of each face.

    An end is told from its own face, and from those beside it.
    """
    beside = np.repeat([turned[:, 2:].any(axis=1), turned[:, :2].any(axis=1)], 2, axis=0).T
    shown = np.column_stack([turned | beside, np.ones(len(turned), dtype=np.bool_)]) * weights[:, None]
    sure = shown * given[:, None]
    trusted = np.where(sure.any(axis=0), sure, shown)
    return np.array([usual(looks.edges_m[:, face], trusted[:, face]) for face in range(5)])


def _shifts(off_m: F64, looks: Looks) -> F64:
    """(2, N) how far the near end's and the near side's points lie outside of where they usually do."""
    front, back, left, right = off_m[:, :4].T
    eyes = looks.eyes
    along = np.where(eyes[:, 0] > 1, front, np.where(eyes[:, 0] < -1, back, -np.abs(front - back) / 2))
    across = np.where(eyes[:, 1] > 1, left, np.where(eyes[:, 1] < -1, right, -np.abs(left - right) / 2))
    return np.array([along, across])


def _lasting(values: F64, weights: F64, times_ns: I64) -> F64:
    """(N,) the weighted mean of what is known shortly before and after: noise does not last, a drift does."""
    weights = np.where(np.isfinite(values), weights, 0.0)
    heaped = np.concatenate([[0.0], np.cumsum(weights)])
    sums = np.concatenate([[0.0], np.cumsum(weights * np.where(weights > 0, values, 0.0))])
    span_ns = int(LASTING_S * 1e9)
    low = np.searchsorted(times_ns, times_ns - span_ns, side="left")
    high = np.searchsorted(times_ns, times_ns + span_ns, side="right")
    weight = heaped[high] - heaped[low]
    return np.where(weight > 0, (sums[high] - sums[low]) / np.where(weight > 0, weight, 1.0), np.nan)


def usual(values: F64, weights: F64) -> float:
    """The weighted median of what is known."""
    known = np.isfinite(values) & (weights > 0)
    return float(weighted_median(values[known, None], weights[known])[0]) if known.any() else np.nan
