"""Plain tables of points: float32 rows as KITTI and nuScenes have them, and numpy's NPZ."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from formats.errors import FormatError
from formats.files import read_bytes
from formats.pointcloud.cloud import Column

NAMES = ("x", "y", "z", "intensity", "ring")
MOST_BYTES = 1 << 30
# What is no ring is nearly always seen among so many.
FIRST = 1000
POINT_KEYS = ("points", "xyz", "positions")


def read_bin(path: Path) -> dict[str, Column]:
    """Little-endian float32 in rows of four (KITTI: x y z intensity) or five (nuScenes: and ring).

    What ends in `.pcd.bin` has five. Where both lengths fit, five are taken if all fifth numbers are rings.

    Raises:
        FormatError: no whole number of points.
    """
    content = read_bytes(path)
    widths = [width for width in (4, 5) if len(content) % (4 * width) == 0]
    if path.name.endswith(".pcd.bin"):
        widths = [width for width in widths if width == 5]
    if not widths:
        raise FormatError(path, "", f"cut short: {len(content)} bytes are no whole number of points")
    values: Column = np.frombuffer(content, "<f4")
    fifth = values[4::5] if 5 in widths else values[:0]
    rings = len(fifth) > 0 and _are_rings(fifth[:FIRST]) and _are_rings(fifth)
    width = 5 if widths == [5] or (5 in widths and rings) else 4
    table = values.reshape(-1, width)
    return {name: table[:, k] for k, name in enumerate(NAMES[:width])}


def _are_rings(values: Column) -> bool:
    return bool(((values >= 0) & (values < 256) & (values == np.floor(values))).all())


def read_npz(path: Path) -> dict[str, Column]:
    """Arrays by name; (N, 3) `points` (or `xyz`, `positions`) count as x, y and z. Pickles are refused.

    Raises:
        FormatError: no such file, arrays of different length, or objects in it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            arrays = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if sum(member.file_size for member in arrays.values()) > MOST_BYTES:
                raise FormatError(path, "", f"unpacks to more than {MOST_BYTES >> 20} MiB")
            loaded = {name: _array(archive, member) for name, member in arrays.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FormatError(path, "", f"not an NPZ file: {error}") from None
    except (ValueError, MemoryError, OSError) as error:
        raise FormatError(path, "", f"holds no arrays that can be read: {error}") from None
    columns = {name: array for name, array in loaded.items() if array.ndim == 1}
    key = next((key for key in POINT_KEYS if key in loaded), None)
    if key is not None:
        points = loaded[key]
        if points.ndim != 2 or points.shape[1] != 3:
            raise FormatError(path, key, f"points need shape (N, 3), not {points.shape}")
        columns.update({axis: points[:, k] for k, axis in enumerate("xyz")})
    if len({len(column) for column in columns.values()}) > 1:
        raise FormatError(path, "", "its arrays have different lengths")
    return columns


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Column:
    with archive.open(member) as stream:
        content = stream.read(MOST_BYTES + 1)
    array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{member.filename} holds no numbers")
    return np.asarray(array)
