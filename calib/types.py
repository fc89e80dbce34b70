"""Names for the array types that the public functions take and return."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]

Scalar = TypeVar("Scalar", bound=np.generic)


def frozen(values: ArrayLike, dtype: type[Scalar]) -> NDArray[Scalar]:
    """Returns a C-contiguous copy of the given type that cannot be written to.

    An array that is so already, down to the memory that it is a part of, is taken over.
    """
    if isinstance(values, np.ndarray) and values.dtype == dtype and _is_settled(values):
        return values
    copy = np.array(values, dtype=dtype, order="C", copy=True)
    copy.flags.writeable = False
    return copy


def handed_over(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The same array, which its maker must not write to any more, so that `frozen` need not copy it."""
    for part in _parts(values):
        part.flags.writeable = False
    return values


def _is_settled(values: np.ndarray) -> bool:
    parts = _parts(values)
    writeable = any(part.flags.writeable for part in parts)
    return values.flags.c_contiguous and parts[-1].flags.owndata and not writeable


def _parts(values: np.ndarray) -> list[np.ndarray]:
    """An array and those that it is a view of, the owner of the memory last."""
    parts = [values]
    while isinstance(parts[-1].base, np.ndarray):
        parts.append(parts[-1].base)
    return parts


def kernel_view(values: NDArray[Any], width: int, dtype: type[Scalar]) -> NDArray[Scalar]:
    """(N, width) as kernels take it: contiguous, of one type, read-only, so that each is compiled once.

    Nothing is copied where the values are so already, and what is handed in stays writable.
    """
    view = np.ascontiguousarray(values, dtype=dtype).reshape(-1, width).view()
    view.flags.writeable = False
    return view
