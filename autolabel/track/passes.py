"""Detections to tracklets: one pass forward and one backward in time; where they disagree, tracklets end."""

from __future__ import annotations

import numpy as np

from autolabel.track.columns import Columns
from autolabel.track.config import TrackConfig
from calib.types import I64


def tracklets(columns: Columns, settings: TrackConfig) -> list[I64]:
    """Detections that both passes hold for one object, each in order of time, by first detection."""
    following, preceding = forward(columns, settings), backward(columns, settings)
    agreed = np.full(len(columns), -1, dtype=np.int64)
    linked = np.nonzero(following >= 0)[0]
    both = linked[preceding[following[linked]] == linked]
    agreed[both] = following[both]
    return chained(agreed)


def forward(columns: Columns, settings: TrackConfig) -> I64:
    """(N,) the next detection of the same object; -1 where there is none."""
    return _walk(columns, settings)


def backward(columns: Columns, settings: TrackConfig) -> I64:
    """(N,) the previous detection of the same object, found from the end; -1 where there is none."""
    count = len(columns)
    mirrored = Columns(
        indices=columns.indices,
        frames_s=-columns.frames_s[::-1],
        starts=np.ascontiguousarray(count - columns.starts[::-1]),
        times_s=-columns.times_s[::-1],
        boxes=np.ascontiguousarray(columns.boxes[::-1]),
        eyes=columns.eyes[::-1],
        sigmas_m=np.ascontiguousarray(columns.sigmas_m[::-1]),
        strong=np.ascontiguousarray(columns.strong[::-1]),
        habits=columns.habits,
    )
    earlier = _walk(mirrored, settings)[::-1]
    return np.where(earlier >= 0, count - 1 - earlier, -1)


def _walk(columns: Columns, settings: TrackConfig) -> I64:
    from autolabel.track import _kernels

    successor = np.empty(len(columns), dtype=np.int64)
    rules = (
        settings.rarity,
        settings.gate,
        settings.weak_least,
        settings.coast_s,
        settings.coast_per_hit_s,
    )
    _kernels.walk(
        np.ascontiguousarray(columns.frames_s),
        columns.starts,
        columns.boxes,
        columns.sigmas_m,
        columns.strong,
        columns.habits,
        rules,
        successor,
    )
    return successor


def chained(successor: I64) -> list[I64]:
    """Runs of indices of which each leads to the next."""
    begins = np.ones(len(successor), dtype=np.bool_)
    begins[successor[successor >= 0]] = False
    following = successor.tolist()
    runs = []
    for start in np.nonzero(begins)[0].tolist():
        run = [start]
        while (start := following[start]) >= 0:
            run.append(start)
        runs.append(np.array(run, dtype=np.int64))
    return runs
