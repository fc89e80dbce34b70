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
        values, axes = np.linalg.eigh(-bends)
        floor = 0.05 * np.maximum(values.max(axis=1, keepdims=True), 1e-9)
        along = np.einsum("dij,di->dj", axes, slopes) / np.maximum(values, floor)
        steps = np.clip(np.einsum("dij,dj->di", axes, along), -4, 4)
        tops = np.tile(self.place, (len(weights), 1))
        tops[:, self.free.astype(int)] += steps * self.spread
        return tops


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
