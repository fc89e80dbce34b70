"""The poses that agree best with the scans and, as far as they can be believed, with what was given."""

from __future__ import annotations

import numpy as np

from autolabel.ego.screws import screws, screws_of
from calib.se3 import SE3Batch
from calib.types import F64

ROUNDS = 8
STILL = 1e-7


def fused(world_from_ego: SE3Batch, ego_from_next: SE3Batch, step_sigmas: F64, prior_sigmas: F64) -> SE3Batch:
    """The most likely poses of a chain, from each pose alone and from each step to the next.

    Gauss-Newton over small motions of each pose (a pose graph; Grisetti et al., 2010), solved sparsely.

    Args:
        world_from_ego: K given poses.
        ego_from_next: K - 1 measured steps.
        step_sigmas: (K - 1, 6) of a step's turn (rad) and way (m); inf: not measured.
        prior_sigmas: (K, 6) of a given pose's; inf: not believed.
    """
    found = world_from_ego
    for _ in range(ROUNDS):
        step = _newton_step(found, world_from_ego, ego_from_next, step_sigmas, prior_sigmas)
        correction = screws(step)
        found = found @ correction
        if np.abs(step).max() < STILL:
            break
    return found


def _newton_step(
    found: SE3Batch, given: SE3Batch, measured: SE3Batch, step_sigmas: F64, prior_sigmas: F64
) -> F64:
    """(K, 6) by how much each pose is to move, in its own axes."""
    from scipy.sparse import bsr_matrix
    from scipy.sparse.linalg import spsolve

    count = len(found)
    off_given = screws_of(given.inverse() @ found)
    steps = found.take(slice(None, -1)).inverse() @ found.take(slice(1, None))
    off_measured = screws_of(measured.inverse() @ steps)
    weights, step_weights = prior_sigmas**-2, step_sigmas**-2
    # Of a small motion x of the earlier pose and y of the later one, a step changes by y - Ad(step^-1) x.
    back = -_adjoints(steps.inverse())
    blocks = np.zeros((3 * count - 2, 6, 6))
    blocks[:count] = weights[:, :, None] * np.eye(6)
    blocks[1:count] += step_weights[:, :, None] * np.eye(6)
    weighted = step_weights[:, :, None] * back
    blocks[: count - 1] += back.transpose(0, 2, 1) @ weighted
    blocks[count : 2 * count - 1] = weighted.transpose(0, 2, 1)
    blocks[2 * count - 1 :] = weighted
    slope = weights * off_given
    slope[1:] += step_weights * off_measured
    slope[:-1] += np.einsum("nij,ni->nj", weighted, off_measured)
    here = np.arange(count)
    rows = np.concatenate([here, here[:-1], here[1:]])
    columns = np.concatenate([here, here[1:], here[:-1]])
    order = np.lexsort((columns, rows))
    starts = np.searchsorted(rows[order], np.arange(count + 1))
    matrix = bsr_matrix((blocks[order], columns[order], starts), shape=(6 * count, 6 * count))
    return -np.asarray(spsolve(matrix.tocsc(), slope.ravel())).reshape(count, 6)


def _adjoints(motions: SE3Batch) -> F64:
    """(N, 6, 6) what turns small motions (turn, way) in src into those in dst."""
    found = np.zeros((len(motions), 6, 6))
    x, y, z = motions.translations.T
    cross = np.zeros((len(motions), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -z, y, -x
    cross -= cross.transpose(0, 2, 1)
    found[:, :3, :3] = found[:, 3:, 3:] = motions.rotations
    found[:, 3:, :3] = cross @ motions.rotations
    return found
