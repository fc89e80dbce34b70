"""How the points of a message lie in its bytes, and the columns taken out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calib.types import F32, Bools
from formats.errors import FormatError
from formats.recording.times import Column

ROS_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
FOXGLOVE_TYPES = {1: "u1", 2: "i1", 3: "u2", 4: "i2", 5: "u4", 6: "i4", 7: "f4", 8: "f8"}
MOST_POINTS, MOST_FIELDS, MOST_STRIDE = 20_000_000, 256, 1 << 16
AT_ONCE, PLAIN = 3, np.dtype("<f4")
Kind = np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """The points of one message; nothing is copied yet.

    Attributes:
        data: its bytes.
        shape: rows and columns of points.
        row: bytes from row to row.
        stride: bytes from point to point.
        fields: type and offset in a point, by name.
    """

    data: memoryview
    shape: tuple[int, int]
    row: int
    stride: int
    fields: Mapping[str, tuple[Kind, int]]

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    def named(self, *names: str) -> str | None:
        """The field of the first of some names that is there, whatever its case."""
        by_name = {name.lower(): name for name in reversed([*self.fields])}
        return next((by_name[name] for name in names if name in by_name), None)

    def column(self, name: str) -> Column:
        """(rows, columns) a view of one field, in its own type and byte order."""
        kind, offset = self.fields[name]
        layout = np.dtype({"names": ["it"], "formats": [kind], "offsets": [offset], "itemsize": self.stride})
        buffer = self.data if len(self) else bytes(self.stride)
        return np.ndarray(self.shape, dtype=layout, buffer=buffer, strides=(self.row, self.stride))["it"]

    def taken(self, axes: tuple[str, str, str], names: Iterable[str]) -> tuple[F32, dict[str, Column]]:
        """(M, 3) the points that are finite and not at the origin, and fields of theirs.

        Drivers mark a beam that met nothing by NaN or by the origin.
        """
        listed = list(dict.fromkeys(names))
        in_line = self.shape[0] == 1 or self.row == self.shape[1] * self.stride
        plain = in_line and len(self) > 0 and all(self.fields[name][0] == PLAIN for name in axes)
        short = [name for name in listed if self.fields[name][0].itemsize <= 4][:AT_ONCE] if plain else []
        short = [name for name in short if self.fields[name][0].isnative]
        columns = {name: _native(self.column(name)) for name in listed if name not in short}
        if plain:
            points, gathered, whole = self._gathered(axes, short)
            columns |= gathered
        else:
            points, whole = self._points(axes), False
        if whole:
            return points, {name: columns[name].reshape(-1) for name in listed}
        with np.errstate(invalid="ignore"):
            known: Bools = np.asarray(np.isfinite(points).all(axis=1) & points.any(axis=1))
        at = known.reshape(self.shape)
        return points[known], {name: columns[name].reshape(self.shape)[at] for name in listed}

    def _points(self, axes: tuple[str, str, str]) -> F32:
        """(N, 3), whatever the types."""
        points = np.empty((len(self), 3), dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for axis, name in enumerate(axes):
                points[:, axis].reshape(self.shape)[...] = self.column(name)
        return points

    def _gathered(self, axes: tuple[str, str, str], names: list[str]) -> tuple[F32, dict[str, Column], bool]:
        """(N, 3) float32 points and up to three fields in one pass, and whether all points are points."""
        from formats.recording import _kernels

        last = self.stride - 4
        axes_at = np.array([self.fields[name][1] for name in axes], dtype=np.int64)
        starts = np.zeros(AT_ONCE, dtype=np.int64)
        starts[: len(names)] = [min(self.fields[name][1], last) for name in names]
        kinds = [self.fields[name][0] for name in names]
        outs = [np.empty(len(self), dtype=kind if kind.itemsize == 4 else np.int32) for kind in kinds]
        outs += [np.empty(len(self), dtype=np.uint32) for _ in range(AT_ONCE - len(names))]
        points = np.empty((len(self), 3), dtype=np.float32)
        bits = np.ndarray((len(self), last + 1), dtype="<u4", buffer=self.data, strides=(self.stride, 1))
        bits.flags.writeable = False
        first, second, third = (out.view(np.uint32) for out in outs)
        none = _kernels.gather(bits, axes_at, starts, points.view(np.uint32), first, second, third)
        shifts = [8 * (self.fields[name][1] - int(start)) for name, start in zip(names, starts, strict=False)]
        columns = {name: _shifted(outs[k], kinds[k], shifts[k]) for k, name in enumerate(names)}
        return points, columns, none == 0


def _shifted(column: Column, kind: Kind, shift: int) -> Column:
    """(N,) the values whose bits stand so many bits up in words of four bytes."""
    if kind.itemsize == 4:
        return column
    words = column.view(np.uint32)
    words >>= np.uint32(shift)
    if kind.kind != "u":
        return np.asarray(words.astype(f"u{kind.itemsize}").view(kind))
    words &= np.uint32((1 << 8 * kind.itemsize) - 1)
    return column


def _native(column: Column) -> Column:
    """In memory of its own, and in the byte order of the machine."""
    return column.astype(column.dtype.newbyteorder("="))


def layout_of(message: Any, path: Path, where: str) -> Layout:
    """The layout of a sensor_msgs/PointCloud2 or a foxglove.PointCloud.

    Raises:
        FormatError: fields that reach out of a point, or points out of the message.
    """
    foxglove = hasattr(message, "point_stride")
    stride = int(message.point_stride if foxglove else message.point_step)
    data = memoryview(message.data)
    if not 0 < stride <= MOST_STRIDE:
        raise FormatError(path, where, f"points of {stride} bytes cannot be")
    if foxglove:
        shape = (1, len(data) // stride)
        row, types, order = shape[1] * stride, FOXGLOVE_TYPES, "<"
    else:
        shape = (int(message.height), int(message.width))
        row = int(message.row_step) or shape[1] * stride
        types, order = ROS_TYPES, ">" if message.is_bigendian else "<"
    if shape[0] * shape[1] > MOST_POINTS:
        raise FormatError(path, where, f"{shape[0]} x {shape[1]} points cannot be of one revolution")
    if shape[0] > 1 and row < shape[1] * stride:
        raise FormatError(path, where, f"rows of {row} bytes are too short for {shape[1]} points")
    need = (shape[0] - 1) * row + shape[1] * stride if shape[0] and shape[1] else 0
    if need > len(data):
        raise FormatError(path, where, f"needs {need} bytes for its points and has {len(data)}")
    return Layout(data, shape, row, stride, _fields(message.fields, types, order, stride, path, where))


def _fields(
    fields: Iterable[Any], types: dict[int, str], order: str, stride: int, path: Path, where: str
) -> dict[str, tuple[Kind, int]]:
    """Fields of single numbers; others (such as a row of several in one) are left out."""
    known: dict[str, tuple[Kind, int]] = {}
    for number, field in enumerate(fields):
        kind = types.get(int(field.type if hasattr(field, "type") else field.datatype))
        if number >= MOST_FIELDS:
            raise FormatError(path, where, f"more than {MOST_FIELDS} fields")
        if kind is None or int(getattr(field, "count", 1)) > 1 or not field.name:
            continue
        if not 0 <= int(field.offset) <= stride - int(kind[1]):
            raise FormatError(path, where, f"the field {field.name[:40]!r} reaches out of its point")
        known.setdefault(field.name, (np.dtype(order + kind), int(field.offset)))
    return known
