"""How likely a chain of detections is an object at all."""

from __future__ import annotations

import numpy as np

from autolabel.detections import Detections
from autolabel.track.config import ScoreConfig
from calib.types import F64, I64

SURE = 1e-6


def odds_of(detections: Detections, members: I64, frames_ns: I64, settings: ScoreConfig) -> float:
    """Log odds that a chain is an object, from what its detector said, how long it was seen, and motion.

    The detector's log odds are averaged over the chain's life, frames without a detection counting as
    even. What moves through the world is an object more often than what stands.
    """
    scores = np.clip(detections.scores[members], SURE, 1 - SURE)
    times_ns = detections.times_ns[members]
    life = np.searchsorted(frames_ns, times_ns[-1]) - np.searchsorted(frames_ns, times_ns[0]) + 1
    said = np.log(scores / (1 - scores)).sum() / life
    places = detections.boxes.dst_from_box.translations[members, :2]
    moved = min(float(np.hypot(*(places[-1] - places[0]))) / settings.far_m, 1.0)
    return float(
        settings.said * said
        + settings.length * np.log(len(members))
        + settings.motion * moved
        - settings.even
    )


def beside_others(chains: list[tuple[Detections, I64]], odds: F64, settings: ScoreConfig) -> F64:
    """(C,) the odds of chains of all kinds, less where a chain mostly sees what a surer one sees too.

    A detector that knows several kinds often sees a cyclist as a pedestrian as well.
    """
    number = np.concatenate([np.full(len(m), n) for n, (_, m) in enumerate(chains)]).astype(np.int64)
    times_ns = np.concatenate([d.times_ns[m] for d, m in chains])
    places = np.concatenate([d.boxes.dst_from_box.translations[m, :2] for d, m in chains])
    lengths_m = np.concatenate([d.boxes.sizes_lwh_m[m, 0] for d, m in chains])
    order = np.argsort(times_ns, kind="stable")
    doubled = np.zeros(len(chains))
    for here in np.split(order, np.nonzero(np.diff(times_ns[order]))[0] + 1):
        away_m = np.hypot(*(places[here, None] - places[None, here]).transpose(2, 0, 1))
        reach_m = settings.slack_m + settings.near * np.maximum(lengths_m[here, None], lengths_m[None, here])
        surer = odds[number[here]][None] > odds[number[here]][:, None]
        np.add.at(doubled, number[here], ((away_m < reach_m) & surer).any(axis=1))
    share = doubled / np.array([len(m) for _, m in chains])
    return np.asarray(odds - settings.double * (share >= settings.mostly))


def chance(odds: F64) -> F64:
    """Log odds as chances."""
    return np.asarray(1 / (1 + np.exp(-odds)))
