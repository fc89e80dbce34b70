"""The motion behind the boxes of one object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autolabel.reconstruct.config import ReconstructConfig, habits_of
from autolabel.smoother import Measurements, Motion, rest, smooth, smooth_heights
from calib.types import F64, Bools
from fusion.categories import Kind

LEAST_SPAN_S = 0.4


def follow(seen: Measurements, times_s: F64, kind: Kind, settings: ReconstructConfig) -> Motion:
    """The motion at (K,) rising times: at rest where it never leaves its place, else as its kind moves."""
    return followed(seen, times_s, kind, settings)[0]


def followed(
    seen: Measurements, times_s: F64, kind: Kind, settings: ReconstructConfig
) -> tuple[Motion, bool]:
    """The same, and whether it is at rest."""
    if not stands(seen, settings):
        return smooth(seen, times_s, habits_of(kind)), False
    still = rest(seen, times_s, settings.drift)
    heights_m = smooth_heights(seen, times_s, settings.rising)
    return replace(still, places=np.column_stack([still.places[:, :2], heights_m])), True


def stands(seen: Measurements, settings: ReconstructConfig) -> bool:
    """Whether an object stays near its middle: all of its firm places, and nearly all of the others."""
    placed = seen.information[:, 0, 0] + seen.information[:, 1, 1] > 0
    times_s, places, firm = seen.times_s[placed], seen.places[placed, :2], seen.firm[placed]
    if times_s[-1] - times_s[0] < LEAST_SPAN_S:
        return False
    middle = np.median(places[firm] if firm.any() else places, axis=0)
    away_m = np.linalg.norm(places - middle, axis=1)
    if firm.any() and away_m[firm].max() > settings.parked_m:
        return False
    nearly_all_m = np.interp(0.8 * (len(away_m) - 1), np.arange(len(away_m)), np.sort(away_m))
    return bool(nearly_all_m < 1.5 * settings.parked_m)


def offsets_at(keys_s: F64, found: F64, trust: F64, wanted_s: F64, settings: ReconstructConfig) -> F64:
    """(M, 3) by how much detections of one object lie beside its given boxes, along, across and turned.

    They change slowly and are none on the whole (a Gaussian process; Rasmussen and Williams, 2006).

    Args:
        keys_s: (N,) times of given boxes.
        found: (N, 3) what the difference is there.
        trust: (N,) variance of that difference in units of its usual variance.
        wanted_s: (M,).
        settings: how fast it changes.
    """
    if len(keys_s) == 0:
        return np.zeros((len(wanted_s), found.shape[1]))
    lasting = settings.offset_lasts
    likeness = lasting + (1 - lasting) * np.exp(-np.abs(keys_s[:, None] - keys_s) / settings.offset_s)
    towards = lasting + (1 - lasting) * np.exp(-np.abs(wanted_s[:, None] - keys_s) / settings.offset_s)
    return np.asarray(towards @ np.linalg.solve(likeness + np.diag(trust), found))


def in_axes(vectors: F64, yaws_rad: F64) -> F64:
    """(N, 2) vectors on the ground along and across headings (N,)."""
    c, s = np.cos(yaws_rad), np.sin(yaws_rad)
    x, y = vectors[:, 0], vectors[:, 1]
    return np.column_stack([c * x + s * y, c * y - s * x])


def is_place(seen: Measurements) -> Bools:
    """(M,) which measurements tell a place."""
    return np.asarray(seen.information[:, 0, 0] + seen.information[:, 1, 1] > 0)
