"""LAS 1.0 to 1.4 (ASPRS) and LAZ, its packed form, read and written with laspy.

Coordinates are whole steps of a scale, so a written point lies within half a step of where it was. When
points were measured stands in `gps_time`, in seconds; rings and what else a sensor says in extra dimensions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import FormatError
from formats.files import replaced_file
from formats.pointcloud.cloud import INTENSITIES, Column, PointCloud
from formats.pointcloud.laz import refuse_impossible

SIGNATURE, HEADER_BYTES = b"LASF", 227
MOST_POINTS, MOST_RECORD_BYTES, MOST_PACKED = 100_000_000, 1 << 12, 200
MOST_RECORDS, MOST_OFFSET_BYTES = 1000, 1 << 26
CHUNK = 1_000_000
STEP_M = 0.001
FULL_INTENSITIES = (1.0, 255.0, 65535.0)
# Standard fields that say something of a sweep; the rest tells of surveys.
FIELDS = ("intensity", "gps_time")


def read_las(path: Path) -> dict[str, Column]:
    """The columns of a file: x, y, z in metres, intensity, gps_time and one of each extra dimension.

    Raises:
        FormatError: no LAS file, cut short, or a header that cannot be.
    """
    import laspy  # type: ignore[import-untyped]
    from laspy.errors import LaspyException  # type: ignore[import-untyped]

    _refuse_impossible(path)
    try:
        with laspy.open(path, read_evlrs=False) as reader, np.errstate(all="ignore"):
            extra = [d.name for d in reader.header.point_format.extra_dimensions]
            present = set(reader.header.point_format.dimension_names)
            names = [name for name in FIELDS if name in present] + extra
            parts = [_columns(path, chunk, names) for chunk in reader.chunk_iterator(CHUNK)]
            count = reader.header.point_count
    except FormatError:
        raise
    except (
        LaspyException,
        OSError,
        ValueError,
        MemoryError,
        LookupError,
        TypeError,
        ArithmeticError,
    ) as error:
        raise FormatError(path, "", f"not a LAS file: {_plain(error)}") from None
    except (AttributeError, AssertionError, RuntimeError) as error:
        raise FormatError(path, "", f"a LAS file that is damaged: {_plain(error)}") from None
    found = sum(len(part["x"]) for part in parts)
    if found != count:
        raise FormatError(path, "", f"cut short: {found} of {count} points are there")
    if not parts:
        return {axis: np.empty(0) for axis in "xyz"}
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    measured = any(name.lower() in INTENSITIES for name in extra)
    return {
        name: c for name, c in columns.items() if name not in FIELDS or _means_something(name, c, measured)
    }


def write_las(path: Path, cloud: PointCloud) -> None:
    """Writes a cloud as LAS 1.4, or packed where the ending is .laz.

    Intensities, rings and offsets are kept as they are in extra dimensions; the standard field holds the
    intensity too, scaled to 16 bits.

    Raises:
        FormatError: it cannot be written, or a point lies too far away.
    """
    import laspy

    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales = np.full(3, STEP_M)
    middle = cloud.points.astype(np.float64).mean(axis=0) if len(cloud) else np.zeros(3)
    header.offsets = np.round(middle)
    if len(cloud) and np.abs(cloud.points - header.offsets).max() >= 2**31 * STEP_M:
        raise FormatError(path, "", "points that lie too far apart for steps of a millimetre")
    extra = {"reflectivity": cloud.intensity, "ring": cloud.ring, "offset_ns": cloud.offset_ns}
    kept = {name: column for name, column in extra.items() if column is not None}
    for name, column in kept.items():
        header.add_extra_dim(laspy.ExtraBytesParams(name=name, type=column.dtype))
    # The day on which it was made would make every file another.
    header.creation_date = None
    las = laspy.LasData(header)
    for k, axis in enumerate("xyz"):
        setattr(las, axis, cloud.points[:, k].astype(np.float64))
    for name, column in kept.items():
        las[name] = column
    if cloud.intensity is not None and len(cloud):
        known = np.nan_to_num(cloud.intensity.astype(np.float64).clip(0, None))
        most = float(known.max())
        full = next((full for full in FULL_INTENSITIES if most <= full), most)
        las.intensity = np.round(known * (0xFFFF / full)).astype(np.uint16)
    with replaced_file(path) as part, part.open("wb") as stream:
        las.write(stream, do_compress=path.suffix.lower() == ".laz")


def _refuse_impossible(path: Path) -> None:
    """Looks at the header before memory is taken: what it tells must fit the size of the file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(375)
    except FileNotFoundError:
        raise FormatError(path, "", "no such file") from None
    except OSError as error:
        raise FormatError(path, "", f"cannot be read: {error.strerror}") from None
    if not head.startswith(SIGNATURE) or len(head) < HEADER_BYTES:
        raise FormatError(path, "", "not a LAS file")
    begin, records = (int.from_bytes(head[at : at + 4], "little") for at in (96, 100))
    packed, record_bytes = bool(head[104] & 0x80), int.from_bytes(head[105:107], "little")
    count = int.from_bytes(head[107:111], "little")
    if head[25] >= 4 and len(head) >= 375:
        count = max(count, int.from_bytes(head[247:255], "little"))
    if not 20 <= record_bytes <= MOST_RECORD_BYTES or records > MOST_RECORDS:
        raise FormatError(path, "header", f"points of {record_bytes} bytes, or {records} records, cannot be")
    if begin > min(size, MOST_OFFSET_BYTES):
        raise FormatError(path, "header", f"points at byte {begin} of {size}")
    most = (size - begin) * (MOST_PACKED if packed else 1) // record_bytes
    if count > min(most, MOST_POINTS):
        raise FormatError(path, "", f"cut short: {count} points in {size - begin} bytes")
    if packed:
        refuse_impossible(path, int.from_bytes(head[94:96], "little"), records, begin, record_bytes)


def _columns(path: Path, points: Any, names: list[str]) -> dict[str, Column]:
    columns: dict[str, Column] = {axis: np.asarray(getattr(points, axis)) for axis in "xyz"}
    for name in names:
        values = np.asarray(points[name])
        if values.dtype.kind not in "iuf":
            raise FormatError(path, name, "must be numbers")
        columns[name.strip()] = values if values.ndim == 1 else values[:, 0]
    return columns


def _means_something(name: str, column: Column, measured: bool) -> bool:
    """Standard fields are there whether they were measured or not."""
    with np.errstate(invalid="ignore"):
        anything = bool(column.any())
    return anything and not (name == "intensity" and measured)


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
