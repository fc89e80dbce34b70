"""What labels are made of: classes, distances, points, lengths of tracks, and where they are thin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calib.types import F64, Floats
from fusion.checks.facts import Facts

DISTANCES_M = (0.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0, np.inf)
POINTS = (0.0, 1.0, 5.0, 20.0, 50.0, 100.0, 500.0, np.inf)
FRAMES = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)
# A class that a model is to learn wants more objects than this.
THIN = 5


@dataclass(frozen=True, slots=True)
class Share:
    """One class.

    Attributes:
        category: its name.
        tracks: how many objects.
        boxes: how many boxes.
        size_lwh_m: median length, width, height.
    """

    category: str
    tracks: int
    boxes: int
    size_lwh_m: tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Statistics:
    """What a label set is made of.

    Attributes:
        frames: of the log.
        labelled_frames: those with a box.
        boxes: all.
        sources: boxes by who made them.
        locked: boxes that a person has confirmed.
        classes: the largest first.
        by_distance: boxes by metres from the car, as (words, count).
        by_points: boxes by points in them; none without sweeps.
        by_length: tracks by how many frames they last.
        thin: classes of few objects, in words.
    """

    frames: int
    labelled_frames: int
    boxes: int
    sources: Mapping[str, int]
    locked: int
    classes: tuple[Share, ...]
    by_distance: tuple[tuple[str, int], ...]
    by_points: tuple[tuple[str, int], ...]
    by_length: tuple[tuple[str, int], ...]
    thin: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> Statistics:
        """Of the labels that rules saw."""
        lengths = np.diff(facts.starts).astype(np.float64)
        scanned = facts.scanned
        inside = np.zeros(0) if scanned is None else scanned.inside[scanned.there].astype(np.float64)
        classes = _classes(facts)
        return cls(
            frames=len(facts.log),
            labelled_frames=len(facts.by_frame),
            boxes=len(facts),
            sources=dict(sorted(Counter(a.source.value for a in facts.annotations).items())),
            locked=sum(a.locked for a in facts.annotations),
            classes=classes,
            by_distance=_counted(facts.away_m, DISTANCES_M, "m"),
            by_points=_counted(inside, POINTS) if scanned is not None else (),
            by_length=_counted(lengths, FRAMES),
            thin=tuple(
                f"{one.category}: {one.tracks} {'object' if one.tracks == 1 else 'objects'}"
                for one in classes
                if one.tracks < THIN
            ),
        )


def _classes(facts: Facts) -> tuple[Share, ...]:
    names = [track.category for track in facts.tracks]
    shares = []
    for name in sorted(set(names)):
        tracks = [number for number, other in enumerate(names) if other == name]
        rows = np.isin(facts.owners, tracks)
        if rows.any():
            length_m, width_m, height_m = np.median(facts.boxes.sizes_lwh_m[rows], axis=0).tolist()
            shares.append(Share(name, len(tracks), int(rows.sum()), (length_m, width_m, height_m)))
    return tuple(sorted(shares, key=lambda one: (-one.boxes, one.category)))


def _counted(values: Floats, edges: Sequence[float], unit: str = "") -> tuple[tuple[str, int], ...]:
    """How many values lie between edges, the lower one included."""
    at: F64 = np.asarray(values, dtype=np.float64)
    told = []
    for low, high in pairwise(edges):
        last = f"{high:g} {unit}".strip() if unit else f"{high - 1:g}"
        words = (
            f"{low:g} and more"
            if np.isinf(high)
            else f"{low:g}"
            if last == f"{low:g}"
            else f"{low:g} to {last}"
        )
        told.append((words, int(((at >= low) & (at < high)).sum())))
    return tuple(told)
