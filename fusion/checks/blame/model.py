"""What may be wrong, as a regression: cameras that are turned or late, boxes that are off, shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.checks.blame.matched import Matched, noise_of
from fusion.checks.blame.regress import Fit, Problem, fit

# Common numbers of each camera: a turn about x, y, z; seconds; a shift along x, y, z.
TURN, TIME, PLACE, OF_CAMERA = slice(0, 3), 3, slice(4, 7), 7
# Of each kind: how much narrower on both sides, lower at the top, higher at the bottom it looks than
# expected, as shares of its size; and how much more it fills the corners of its box.
OF_KIND = 4
TURN_RAD, TIME_S, PLACE_M, SHAPE, FILL = float(np.radians(1.0)), 0.06, 0.005, 0.05, 0.7
# Least and largest spread between objects: of the shift of boxes, and of each edge as a share of the size.
SHIFTS_M, SHAPES = (0.01, 0.2), (0.005, 0.06)
# For how many tracks the expected covariance counts beside the one told by the tracks.
EXPECTED_COUNTS = 8
INWARD = np.array([1.0, 1.0, -1.0, -1.0])
SIDES = np.array([0, 1, 0, 2])


@dataclass(frozen=True, eq=False, slots=True)
class Explained:
    """What explains the residuals best, with everything free at once.

    Attributes:
        rows: (M,) the pair that each observation is of.
        edges: (M,) its edge.
        fit: of the common numbers and of every track.
        cameras: how many there are.
    """

    rows: I64
    edges: I64
    fit: Fit
    cameras: int

    def of_camera(self, camera: int, tracks: int) -> tuple[F64, F64]:
        """(4,) turn in radians and seconds, and their (4, 4) covariance, from so many tracks.

        What few tracks say of their own scatter is unsure: it is averaged with what is expected of them
        (as variances of few samples are; Smyth, 2004).
        """
        here = slice(OF_CAMERA * camera, OF_CAMERA * camera + 4)
        own = max(tracks - 1, 0)
        both = own * self.fit.scatter[here, here] + EXPECTED_COUNTS * self.fit.expected[here, here]
        return self.fit.values[here], np.asarray(both / (own + EXPECTED_COUNTS))

    def noise(self, pairs: Matched) -> tuple[float, float]:
        """How far edges stray, in pixels and as a share of the size."""
        here = self.rows, self.edges
        return noise_of(self.fit.rest * self.fit.scale * pairs.sigmas_px[here], pairs.sizes_px[here])

    def shapes_px(self, pairs: Matched, kinds: I64) -> F64:
        """(N, 4) by how many pixels the edges lie elsewhere because of how things of a kind look."""
        of_kind = self.fit.values[OF_CAMERA * self.cameras :].reshape(-1, OF_KIND)[kinds]
        inward = INWARD * pairs.sizes_px * of_kind[:, SIDES]
        return np.asarray(inward - of_kind[:, 3:] * pairs.views.derivatives.within)


def explain(pairs: Matched, kinds: I64, cameras: int) -> Explained:
    """Fits the model.

    Args:
        pairs: N objects in images.
        kinds: (N,) number of the kind of each, from 0 on.
        cameras: number of cameras in the rig.
    """
    rows, edges = np.nonzero(pairs.usable)
    order = np.argsort(pairs.views.tracks[rows], kind="stable")
    rows, edges = rows[order], edges[order]
    return Explained(rows, edges, fit(_problem(pairs, kinds, cameras, rows, edges)), cameras)


def _problem(pairs: Matched, kinds: I64, cameras: int, rows: I64, edges: I64) -> Problem:
    views, known = pairs.views, pairs.views.derivatives
    here, of_camera = np.arange(len(rows)), OF_CAMERA * views.cameras[rows]
    of_kind = OF_CAMERA * cameras + OF_KIND * kinds[rows]
    count = int(kinds.max(initial=-1)) + 1
    sizes_px, sigmas_px = pairs.sizes_px[rows, edges], pairs.sigmas_px[rows, edges]
    common = np.zeros((len(rows), OF_CAMERA * cameras + OF_KIND * count))
    for axis in range(3):
        common[here, of_camera + axis] = known.turn[rows, edges, axis]
        common[here, of_camera + PLACE.start + axis] = known.place[rows, edges, axis]
    common[here, of_camera + TIME] = known.time[rows, edges]
    common[here, of_kind + SIDES[edges]] = INWARD[edges] * sizes_px
    common[here, of_kind + 3] = -known.within[rows, edges]
    own = np.zeros((len(rows), 7))
    own[:, :3] = known.shift[rows, edges]
    own[here, 3 + edges] = sizes_px
    camera_sigmas = np.repeat([TURN_RAD, TIME_S, PLACE_M], [3, 1, 3])
    kind_sigmas = np.array([SHAPE, SHAPE, SHAPE, FILL])
    sigmas = np.concatenate([np.tile(camera_sigmas, cameras), np.tile(kind_sigmas, count)])
    return Problem(
        pairs.residuals_px[rows, edges] / sigmas_px,
        common / sigmas_px[:, None],
        own / sigmas_px[:, None],
        views.tracks[rows],
        sigmas**-2.0,
        np.array([0, 0, 0, 1, 1, 1, 1]),
        np.array([SHIFTS_M, SHAPES]),
    )
