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
    """Returns a C-contiguous copy of the given type that cannot be written to."""
    copy = np.array(values, dtype=dtype, order="C", copy=True)
    copy.flags.writeable = False
    return copy


def kernel_view(values: Floats, width: int, dtype: type[Scalar]) -> NDArray[Scalar]:
    """(N, width) as kernels take it: contiguous, of one type, read-only, so that each is compiled once.

    Nothing is copied where the values are so already, and what is handed in stays writable.
    """
    view = np.ascontiguousarray(values, dtype=dtype).reshape(-1, width).view()
    view.flags.writeable = False
    return view
