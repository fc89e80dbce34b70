"""How sure a refinement is: what it would have said of other views of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.refine.cost import EVIDENCE, Cost
from calib.refine.view import View, alignments
from calib.types import F64, I64

SAMPLES = 500
DRAWS = 300
STRIDE_PX = 8
ALIKE = 0.7
LEAST_BEND = 0.05  # of the sharpest direction: what bends less is taken to bend as much


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """Quadratic surfaces through the landscape of each view about one place, and of all beside the views.

    Attributes:
        place: (6,) correction about which they are laid.
        free: indices of the numbers that are free.
        slopes: (V + 1, K) first derivatives in units of the spread, the last row for all beside the views.
        bends: (V + 1, K, K) second derivatives.
        spread: (K,) the unit of each free number.
    """

    place: F64
    free: F64
    slopes: F64
    bends: F64
    spread: F64

    def tops(self, weights: F64) -> F64:
        """(D, 6) the highest place of each of (D, V) mixtures of views."""
        with_rest = np.column_stack([weights, np.ones(len(weights))])
        slopes, bends = with_rest @ self.slopes, np.einsum("dv,vij->dij", with_rest, self.bends)
        values, axes = _principal(bends, LEAST_BEND)
        along = np.einsum("dij,di->dj", axes, slopes) / values
        steps = np.clip(np.einsum("dij,dj->di", axes, along), -4, 4)
        tops = np.tile(self.place, (len(weights), 1))
        tops[:, self.free.astype(int)] += steps * self.spread
        return tops

    def unshown(self, shared: F64) -> F64:
        """(6, 6) covariance of what no bootstrap over views shows.

        What stands beside the views (prior, clicks, boxes) is as uncertain as it claims.

        Args:
            shared: (6,) standard deviations of the error that all views of a drive have in common; it counts
                as far as the views do.
        """
        values, axes = _principal(self.bends.sum(axis=0), LEAST_BEND)
        by_slope = (axes / values) @ axes.T
        free, found = self.free.astype(int), np.zeros((6, 6))
        by_views = by_slope @ _information(self.bends[:-1].sum(axis=0), LEAST_BEND)
        beside = by_slope @ _information(self.bends[-1], 0.0) @ by_slope
        spread = np.diag((shared[free] / self.spread) ** 2)
        covariance = by_views @ spread @ by_views.T + beside
        found[np.ix_(free, free)] = covariance * np.outer(self.spread, self.spread)
        return found


def _principal(bends: F64, least: float) -> tuple[F64, F64]:
    """How sharply (..., K, K) surfaces bend down along their principal axes, at least a share; the axes."""
    values, axes = np.linalg.eigh(-bends)
    highest = np.maximum(values.max(axis=-1, keepdims=True), 1e-9)
    return np.maximum(values, least * highest), axes


def _information(bends: F64, least: float) -> F64:
    """(K, K) the part of a surface that bends down."""
    values, axes = _principal(bends, least)
    return np.asarray((axes * values) @ axes.T)


def surface(cost: Cost, place: F64, spread: F64, rng: np.random.Generator) -> Surface:
    """Lays quadratic surfaces about a place by least squares through samples."""
    free = np.flatnonzero(spread > 0)
    half = rng.standard_normal((SAMPLES // 2, len(free)))
    steps = np.concatenate([half, -half])
    places = np.tile(place, (len(steps), 1))
    places[:, free] += steps * spread[free]
    heights = np.column_stack(
        [EVIDENCE * alignments(cost.views, cost.ego_from_given_cam, places), cost.beside(places)]
    )
    rows, columns = np.triu_indices(len(free))
    squares = steps[:, rows] * steps[:, columns] * np.where(rows == columns, 0.5, 1.0)
    design = np.column_stack([np.ones(len(steps)), steps, squares])
    found = np.linalg.lstsq(design, heights, rcond=None)[0].T
    bends = np.zeros((len(found), len(free), len(free)))
    bends[:, rows, columns] = bends[:, columns, rows] = found[:, 1 + len(free) :]
    return Surface(place, free.astype(np.float64), found[:, 1 : 1 + len(free)], bends, spread[free])


def bootstrap(laid: Surface, block: I64, rng: np.random.Generator) -> F64:
    """(D, 6) what refinements of blocks of views drawn anew from these would have said."""
    count = int(block.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
    return laid.tops(weights[:, block])


def blocks_of(views: Sequence[View]) -> I64:
    """(V,) numbers from 0 on: views that show nearly the same, as while the car stands, share one.

    Twelve images of one place say no more than one does.
    """
    samples = [view.field[:, ::STRIDE_PX, ::STRIDE_PX].ravel().astype(np.float64) for view in views]
    centred = [sample - sample.mean() for sample in samples]
    units = [sample / max(float(np.linalg.norm(sample)), 1e-12) for sample in centred]
    firsts: list[F64] = []
    block = np.empty(len(views), dtype=np.int64)
    for index, unit in enumerate(units):
        alike = [float(unit @ first) if len(unit) == len(first) else 0.0 for first in firsts]
        best = int(np.argmax(alike)) if alike else -1
        if best < 0 or alike[best] < ALIKE:
            best = len(firsts)
            firsts.append(unit)
        block[index] = best
    return block
