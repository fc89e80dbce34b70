"""Brings what was measured to one scale, in which the distance of two objects says how unlike they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from autolabel.similar.features import BLOCKS, FROM_IMAGES, FROM_POINTS, Features, columns_of
from calib.types import F32, F64, I64

# What a person may name, and the blocks behind it.
ASPECTS: dict[str, tuple[str, ...]] = {
    "size": ("size",),
    "shape": ("outline", "occupancy", "distances", "surfaces"),
    "brightness": ("brightness",),
    "motion": ("motion",),
    "colour": ("colours",),
    "look": ("gradients", "embedding"),
}
# Two pictures of one kind of thing are assumed to be so far apart for a network, which nobody measured.
EMBEDDING_WITHIN = 0.5
# Few points and small images say little: what they say is drawn to the average by half at these.
HALF_POINTS, HALF_SIDE_PX = 30.0, 24.0
FARTHEST = 4.0


@dataclass(frozen=True, eq=False, slots=True)
class Scale:
    """The average and the spread of each feature, and how much a block varies in all.

    Attributes:
        mean: (WIDTH,).
        spread: (WIDTH,).
        total: by block, the sum of its variances once it is on this scale.
        within: by block, the usual squared distance of two objects of one kind.
    """

    mean: F64
    spread: F64
    total: Mapping[str, float]
    within: Mapping[str, float]

    @classmethod
    def of(cls, features: Features, kinds: Sequence[I64]) -> Scale:
        """Measured on objects, and on the rows of those that are of one kind.

        The three sides of a box share one spread, so that they keep their units.
        """
        values = features.values.astype(np.float64)
        mean, spread = np.nanmean(values, axis=0), np.maximum(np.nanstd(values, axis=0), 1e-3)
        size = columns_of()["size"]
        spread[size] = np.sqrt((spread[size] ** 2).mean())
        ones = dict.fromkeys(BLOCKS, 1.0)
        blocks = cls(mean, spread, ones, ones).blocks(features)
        total = {name: float(blocks[name].var(axis=0).sum()) for name in BLOCKS}
        within = {
            name: float(
                np.mean(
                    [_unlikeness(blocks[name][k], total[name], doubt_of(name, features)[k]) for k in kinds]
                )
            )
            for name in BLOCKS
        }
        return cls(mean, spread, total, within)

    def blocks(self, features: Features) -> dict[str, F64]:
        """(N, width) of each block, its variance about 1 in all; zeros where nothing can be told."""
        scaled = (features.values.astype(np.float64) - self.mean) / self.spread
        scaled = np.nan_to_num(np.clip(scaled, -FARTHEST, FARTHEST))
        parts = {
            name: scaled[:, columns] * (1 - doubt_of(name, features))[:, None] / np.sqrt(self.total[name])
            for name, columns in columns_of().items()
        }
        if features.embeddings.shape[1]:
            trust = 1 - doubt_of("embedding", features)
            parts["embedding"] = features.embeddings * trust[:, None]
        return parts


def doubt_of(block: str, features: Features) -> F64:
    """(N,) the share of a block's variance that is left open by what was seen of each object, 0..1."""
    if block in FROM_POINTS:
        return np.asarray(HALF_POINTS / (features.points + HALF_POINTS), dtype=np.float64)
    if block in FROM_IMAGES:
        return np.asarray(HALF_SIDE_PX / (features.sides_px + HALF_SIDE_PX), dtype=np.float64)
    return np.zeros(len(features))


def _unlikeness(part: F64, total: float, doubts: F64) -> float:
    """Mean squared distance of two of these objects, what is open about them included."""
    count = len(part)
    spread = 2 * float(part.var(axis=0).sum()) / total * count / (count - 1)
    return spread + 2 * float(doubts.mean())


@lru_cache(maxsize=1)
def built_in() -> Scale:
    """The scale that comes with the package; `tests/benchmarks/similar_table.py` made it."""
    told = json.loads(files("autolabel.similar").joinpath("table.json").read_text(encoding="utf-8"))
    return Scale(np.array(told["mean"]), np.array(told["spread"]), told["total"], told["within"])


@dataclass(frozen=True, eq=False, slots=True)
class Vectors:
    """Objects as vectors: of two, the squared distance is the mean over the aspects of how unlike they are,
    1 being as unlike as two of one kind usually are.

    Attributes:
        rows: (N, D) float32.
        doubts: (N, B) by block, what the squared distance to any other object grows by for want
            of a good look.
        columns: by block, which columns of the rows it has.
    """

    rows: F32
    doubts: F64
    columns: Mapping[str, slice]

    @classmethod
    def of(cls, features: Features, scale: Scale | None = None) -> Vectors:
        """On the scale that comes with the package, or another one."""
        scale = scale or built_in()
        blocks = scale.blocks(features)
        weights = {
            name: share_of(name, blocks) / {**scale.within, "embedding": EMBEDDING_WITHIN}[name]
            for name in blocks
        }
        ends = np.cumsum([0, *(part.shape[1] for part in blocks.values())]).tolist()
        rows = np.hstack([part * np.sqrt(weights[name]) for name, part in blocks.items()])
        doubts = np.column_stack([doubt_of(name, features) * weights[name] for name in blocks])
        columns = {name: slice(a, b) for name, a, b in zip(blocks, ends[:-1], ends[1:], strict=True)}
        return cls(np.ascontiguousarray(rows, dtype=np.float32), doubts, columns)


def share_of(block: str, present: Collection[str]) -> float:
    """What one block of those present has of the whole: aspects count alike, and so do blocks of one."""
    aspects = [some for names in ASPECTS.values() if (some := [n for n in names if n in present])]
    return next(1.0 / (len(names) * len(aspects)) for names in aspects if block in names)
