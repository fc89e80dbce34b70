"""Rigid transforms, one and many, named `dst_from_src` and read from right to left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from calib.errors import CalibrationError
from calib.quaternion import matrices_from_quaternions, quaternions_from_matrices, require_rotations
from calib.types import F32, F64, Floats, frozen, kernel_view


@dataclass(frozen=True, eq=False, slots=True)
class SE3:
    """One rigid transform: `points_dst = dst_from_src @ points_src`.

    Attributes:
        rotation: (3, 3) float64, orthonormal with determinant +1.
        translation: (3,) float64, metres: where the origin of src lies in dst.

    Raises:
        CalibrationError: the rotation is no rotation, or a number is not finite.
    """

    rotation: F64
    translation: F64

    def __post_init__(self) -> None:
        rotation, translation = frozen(self.rotation, np.float64), frozen(self.translation, np.float64)
        if rotation.shape != (3, 3) or translation.shape != (3,):
            raise CalibrationError(
                f"a transform needs shapes (3, 3) and (3,), not {rotation.shape} and {translation.shape}"
            )
        require_rotations(rotation[None], translation[None])
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation", translation)

    @classmethod
    def identity(cls) -> SE3:
        """The transform that moves nothing."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> SE3:
        """From a (4, 4) or (3, 4) homogeneous matrix."""
        dense = np.asarray(matrix, dtype=np.float64)
        if dense.shape not in ((4, 4), (3, 4)):
            raise CalibrationError(f"a homogeneous matrix is 4x4 or 3x4, not {dense.shape}")
        if dense.shape == (4, 4) and not np.allclose(dense[3], (0, 0, 0, 1)):
            raise CalibrationError(f"the last row of a rigid transform is 0 0 0 1, not {dense[3]}")
        return cls(dense[:3, :3], dense[:3, 3])

    @classmethod
    def nearest(cls, matrix: ArrayLike, tolerance: float = 1e-3) -> SE3:
        """The transform nearest to a (3, 4) or (4, 4) matrix that was printed with few digits.

        The rotation is the nearest one in the Frobenius norm (orthogonal Procrustes).

        Raises:
            CalibrationError: the matrix is further than `tolerance` from any rigid transform.
        """
        dense = np.asarray(matrix, dtype=np.float64)
        if dense.shape not in ((4, 4), (3, 4)) or not np.isfinite(dense).all():
            raise CalibrationError(f"a homogeneous matrix is 4x4 or 3x4 and finite, not {dense.tolist()}")
        left, scales, right = np.linalg.svd(dense[:3, :3])
        if np.abs(scales - 1).max() > tolerance:
            by = ", ".join(f"{scale:.4g}" for scale in scales)
            raise CalibrationError(f"a matrix stretches space by {by}: not a rigid transform")
        return cls(left @ right, dense[:3, 3])

    @classmethod
    def from_quaternion_wxyz(cls, quaternion_wxyz: ArrayLike, translation: ArrayLike) -> SE3:
        """From a quaternion of any positive norm, scalar first."""
        quaternion = np.asarray(quaternion_wxyz, dtype=np.float64)
        if quaternion.shape != (4,):
            raise CalibrationError(f"a quaternion has four numbers, not shape {quaternion.shape}")
        return cls(matrices_from_quaternions(quaternion[None])[0], np.asarray(translation, dtype=np.float64))

    @classmethod
    def from_yaw(cls, yaw_rad: float, translation: ArrayLike = (0.0, 0.0, 0.0)) -> SE3:
        """From an angle about z, counter-clockwise seen from above."""
        c, s = np.cos(yaw_rad), np.sin(yaw_rad)
        rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        return cls(rotation, np.asarray(translation, dtype=np.float64))

    @classmethod
    def from_rotation_vector(cls, vector_rad: ArrayLike, translation: ArrayLike = (0.0, 0.0, 0.0)) -> SE3:
        """From the axis of a rotation times its angle (Rodrigues)."""
        vector = np.asarray(vector_rad, dtype=np.float64)
        angle_rad = float(np.linalg.norm(vector))
        quaternion = np.append(np.cos(angle_rad / 2), np.sinc(angle_rad / (2 * np.pi)) / 2 * vector)
        return cls.from_quaternion_wxyz(quaternion, translation)

    @property
    def rotation_vector_rad(self) -> F64:
        """(3,) axis times angle, the angle in [0, pi]."""
        quaternion = self.quaternion_wxyz
        sine = float(np.linalg.norm(quaternion[1:]))
        angle_rad = 2 * np.arctan2(sine, quaternion[0])
        return np.asarray(quaternion[1:] * (angle_rad / sine if sine > 0 else 2.0), dtype=np.float64)

    @classmethod
    def from_vector(cls, vector: ArrayLike) -> SE3:
        """From six numbers: rotation vector (rad), then translation (m)."""
        six = np.asarray(vector, dtype=np.float64)
        return cls.from_rotation_vector(six[:3], six[3:])

    @property
    def vector(self) -> F64:
        """(6,) rotation vector (rad), then translation (m)."""
        return np.concatenate([self.rotation_vector_rad, self.translation])

    @property
    def matrix(self) -> F64:
        """(4, 4) homogeneous matrix."""
        dense = np.eye(4)
        dense[:3, :3], dense[:3, 3] = self.rotation, self.translation
        return dense

    @property
    def quaternion_wxyz(self) -> F64:
        """(4,) unit quaternion, scalar first and not negative."""
        quaternion: F64 = quaternions_from_matrices(self.rotation[None])[0]
        return quaternion

    @property
    def yaw_rad(self) -> float:
        """Direction of the src x axis in the dst xy plane, in (-pi, pi]."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))

    def inverse(self) -> SE3:
        """Returns src_from_dst."""
        src_axes = self.rotation.T.copy()
        return _already_checked(src_axes, -(src_axes @ self.translation))

    def rotate(self, vectors: Floats) -> F64:
        """Turns (..., 3) directions, leaving out the translation."""
        return np.asarray(vectors @ self.rotation.T, dtype=np.float64)

    def cloud(self, points: Floats) -> F32:
        """(N, 3) float32 places of the many points of a scan: the same as `@`, rounded once."""
        from calib import _kernels

        given = kernel_view(points, 3, np.float32 if points.dtype == np.float32 else np.float64)
        moved: F32 = _kernels.moved(given, np.array(self.rotation), np.array(self.translation))
        return moved

    @overload
    def __matmul__(self, other: SE3) -> SE3: ...
    @overload
    def __matmul__(self, other: SE3Batch) -> SE3Batch: ...
    @overload
    def __matmul__(self, other: Floats) -> F64: ...
    def __matmul__(self, other: SE3 | SE3Batch | Floats) -> SE3 | SE3Batch | F64:
        """Composes with a transform, or applies to (..., 3) points; the answer is float64."""
        if isinstance(other, SE3):
            rotation = self.rotation @ other.rotation
            return _already_checked(rotation, self.rotation @ other.translation + self.translation)
        if isinstance(other, SE3Batch):
            return _checked_batch(self.rotation @ other.rotations, self @ other.translations)
        return np.asarray(other @ self.rotation.T + self.translation, dtype=np.float64)

    def is_close(self, other: SE3, atol: float = 1e-9) -> bool:
        """Whether all twelve numbers agree to `atol`."""
        return bool(
            np.allclose(self.rotation, other.rotation, rtol=0, atol=atol)
            and np.allclose(self.translation, other.translation, rtol=0, atol=atol)
        )


@dataclass(frozen=True, eq=False, slots=True)
class SE3Batch:
    """Many rigid transforms in two arrays.

    Attributes:
        rotations: (N, 3, 3) float64.
        translations: (N, 3) float64, metres.

    Raises:
        CalibrationError: a rotation is no rotation, or a number is not finite.
    """

    rotations: F64
    translations: F64

    def __post_init__(self) -> None:
        rotations, translations = frozen(self.rotations, np.float64), frozen(self.translations, np.float64)
        count = len(rotations)
        if rotations.shape != (count, 3, 3) or translations.shape != (count, 3):
            raise CalibrationError(
                f"a batch of transforms needs shapes (N, 3, 3) and (N, 3), "
                f"not {rotations.shape} and {translations.shape}"
            )
        require_rotations(rotations, translations)
        object.__setattr__(self, "rotations", rotations)
        object.__setattr__(self, "translations", translations)

    @classmethod
    def stack(cls, transforms: Iterable[SE3]) -> SE3Batch:
        """From transforms one by one."""
        listed = list(transforms)
        return _checked_batch(
            np.array([t.rotation for t in listed], dtype=np.float64).reshape(-1, 3, 3),
            np.array([t.translation for t in listed], dtype=np.float64).reshape(-1, 3),
        )

    @classmethod
    def concatenate(cls, batches: Iterable[SE3Batch]) -> SE3Batch:
        """All transforms of several batches, one batch after the other."""
        listed = [cls.stack(()), *batches]
        return _checked_batch(
            np.concatenate([batch.rotations for batch in listed]),
            np.concatenate([batch.translations for batch in listed]),
        )

    @classmethod
    def from_quaternions_wxyz(cls, quaternions_wxyz: ArrayLike, translations: ArrayLike) -> SE3Batch:
        """From (N, 4) quaternions of any positive norm, scalar first."""
        quaternions = np.asarray(quaternions_wxyz, dtype=np.float64).reshape(-1, 4)
        return cls(
            matrices_from_quaternions(quaternions),
            np.asarray(translations, dtype=np.float64).reshape(-1, 3),
        )

    @property
    def quaternions_wxyz(self) -> F64:
        """(N, 4) unit quaternions, scalar first and not negative."""
        return quaternions_from_matrices(self.rotations)

    @property
    def yaws_rad(self) -> F64:
        """(N,) directions of the src x axes in the dst xy plane."""
        return np.arctan2(self.rotations[:, 1, 0], self.rotations[:, 0, 0])

    def __len__(self) -> int:
        return len(self.rotations)

    def __iter__(self) -> Iterator[SE3]:
        return map(_already_checked, self.rotations, self.translations)

    def __getitem__(self, index: int | np.integer) -> SE3:
        return _already_checked(self.rotations[index], self.translations[index])

    def take(self, indices: slice | np.ndarray) -> SE3Batch:
        """The transforms at these indices or under this mask."""
        return _checked_batch(self.rotations[indices].copy(), self.translations[indices].copy())

    def inverse(self) -> SE3Batch:
        """Inverts each."""
        src_axes = self.rotations.transpose(0, 2, 1).copy()
        return _checked_batch(src_axes, -np.einsum("nij,nj->ni", src_axes, self.translations))

    @overload
    def __matmul__(self, other: SE3 | SE3Batch) -> SE3Batch: ...
    @overload
    def __matmul__(self, other: Floats) -> F64: ...
    def __matmul__(self, other: SE3 | SE3Batch | Floats) -> SE3Batch | F64:
        """Composes each with one transform or with its partner, or applies each to its own (3,) point.

        A (N, 3) array gives (N, 3): the n-th transform applied to the n-th point.
        """
        if isinstance(other, SE3):
            return _checked_batch(
                self.rotations @ other.rotation, self.rotations @ other.translation + self.translations
            )
        if isinstance(other, SE3Batch):
            return _checked_batch(self.rotations @ other.rotations, self @ other.translations)
        turned = np.einsum("nij,nj->ni", self.rotations, other)
        return np.asarray(turned + self.translations, dtype=np.float64)


def _already_checked(rotation: F64, translation: F64) -> SE3:
    """Returns a transform of parts that come from checked ones: many times as fast as checking again."""
    transform = object.__new__(SE3)
    rotation.flags.writeable = translation.flags.writeable = False
    object.__setattr__(transform, "rotation", rotation)
    object.__setattr__(transform, "translation", translation)
    return transform


def _checked_batch(rotations: F64, translations: F64) -> SE3Batch:
    """The same for many."""
    batch = object.__new__(SE3Batch)
    rotations.flags.writeable = translations.flags.writeable = False
    object.__setattr__(batch, "rotations", rotations)
    object.__setattr__(batch, "translations", translations)
    return batch
