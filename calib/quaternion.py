"""Unit quaternions, scalar first, and rotation matrices; (N, ...) in, (N, ...) out."""

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64

ORTHONORMAL_TOLERANCE = 1e-6


def matrices_from_quaternions(quaternions_wxyz: F64) -> F64:
    """(N, 4) quaternions of any positive norm to (N, 3, 3) rotation matrices.

    Raises:
        CalibrationError: a norm is zero or not finite.
    """
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(quaternions_wxyz, axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 1e-9).all()):
        raise CalibrationError("a quaternion has norm zero or a number that is not finite")
    w, x, y, z = (quaternions_wxyz / norms).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def quaternions_from_matrices(rotations: F64) -> F64:
    """(N, 3, 3) rotation matrices to (N, 4) unit quaternions with w >= 0.

    The largest squared component is solved for first (Shepperd, 1978), so no branch loses digits.
    """
    m = rotations
    diagonal = np.stack([m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]], axis=1)
    trace = diagonal.sum(axis=1)
    largest = np.argmax(np.column_stack([trace, diagonal]), axis=1)
    quaternions = np.empty((len(m), 4))
    for choice in range(4):
        rows = np.flatnonzero(largest == choice)
        r = m[rows]
        if choice == 0:
            quaternions[rows, 0] = 1 + trace[rows]
            quaternions[rows, 1] = r[:, 2, 1] - r[:, 1, 2]
            quaternions[rows, 2] = r[:, 0, 2] - r[:, 2, 0]
            quaternions[rows, 3] = r[:, 1, 0] - r[:, 0, 1]
        else:
            i = choice - 1
            j, k = (i + 1) % 3, (i + 2) % 3
            quaternions[rows, 0] = r[:, k, j] - r[:, j, k]
            quaternions[rows, 1 + i] = 1 + r[:, i, i] - r[:, j, j] - r[:, k, k]
            quaternions[rows, 1 + j] = r[:, j, i] + r[:, i, j]
            quaternions[rows, 1 + k] = r[:, k, i] + r[:, i, k]
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    return np.where(quaternions[:, :1] < 0, -quaternions, quaternions)


def slerp(quaternions_a: F64, quaternions_b: F64, fractions: F64) -> F64:
    """Great-circle interpolation of (N, 4) unit quaternions the short way round (Shoemake, 1985)."""
    dots = np.sum(quaternions_a * quaternions_b, axis=1)
    quaternions_b = np.where(dots[:, None] < 0, -quaternions_b, quaternions_b)
    angles = np.arccos(np.clip(np.abs(dots), -1.0, 1.0))
    sines = np.sin(angles)
    near = sines < 1e-9
    safe = np.where(near, 1.0, sines)
    weights_a = np.where(near, 1 - fractions, np.sin((1 - fractions) * angles) / safe)
    weights_b = np.where(near, fractions, np.sin(fractions * angles) / safe)
    mixed = weights_a[:, None] * quaternions_a + weights_b[:, None] * quaternions_b
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float64)


def require_rotations(rotations: F64, translations: F64) -> None:
    """Raises CalibrationError unless (N, 3, 3) matrices only turn, and all numbers are finite."""
    if not (np.isfinite(rotations).all() and np.isfinite(translations).all()):
        raise CalibrationError("a transform holds a number that is not finite")
    if float(np.abs(rotations).max(initial=0.0)) > 2:
        raise CalibrationError(f"a rotation matrix holds {np.abs(rotations).max():.2g}")
    gram = rotations @ rotations.transpose(0, 2, 1)
    worst = float(np.abs(gram - np.eye(3)).max(initial=0.0))
    if worst > ORTHONORMAL_TOLERANCE:
        raise CalibrationError(f"a rotation matrix is not orthonormal (off by {worst:.2g})")
    if len(rotations) and float(np.linalg.det(rotations).min()) < 0:
        raise CalibrationError("a rotation matrix is a mirror image (determinant -1)")
