"""Feather tables, column by column, read with suspicion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from formats.errors import FormatError
from formats.extras import json_text, read_json_text
from formats.fields import Field
from formats.files import replaced_file

MOST_ROWS = 20_000_000
LEANING, FARTHEST_M = 0.01, 1e8
NOTE = "crosslabel"
PREFIX = f"{NOTE}_"


class Table:
    """The columns of one file.

    Attributes:
        path: the file.
        names: of the columns.

    Raises:
        FormatError: the file is missing or no Feather table.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import feather

        if not path.is_file():
            raise FormatError(path, "", "no such file")
        self.path = path
        try:
            self._table: Any = feather.read_table(path, memory_map=False)
            self.names: list[str] = list(self._table.column_names)
        except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
            said = " ".join(str(error).split())[:200]
            raise FormatError(path, "", f"not a Feather table: {said}") from None
        if len(self) > MOST_ROWS:
            raise FormatError(path, "", f"more than {MOST_ROWS} rows")

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def note(self) -> Field | None:
        """What our writer noted in the head of the file.

        Raises:
            FormatError: it is no JSON.
        """
        kept = (self._table.schema.metadata or {}).get(NOTE.encode())
        if kept is None:
            return None
        return read_json_text(self.path, "note", kept.decode(errors="replace"))

    def flags(self, name: str) -> Bools:
        """A column of true and false.

        Raises:
            FormatError: it is missing, has gaps, or holds something else.
        """
        from pyarrow import types

        column = self._column(name)
        if not types.is_boolean(column.type):
            raise FormatError(self.path, name, f"must be true or false, not {column.type}")
        return np.asarray(column.to_numpy(), dtype=np.bool_)

    def whole(self, name: str) -> I64:
        """A column of whole numbers.

        Raises:
            FormatError: it is missing, has gaps, or holds something else.
        """
        from pyarrow import types

        column = self._column(name)
        if not types.is_integer(column.type):
            raise FormatError(self.path, name, f"must be whole numbers, not {column.type}")
        values = column.to_numpy()
        if values.dtype == np.uint64 and values.max(initial=0) > np.iinfo(np.int64).max:
            raise FormatError(self.path, name, "a number that is too large")
        return np.asarray(values, dtype=np.int64)

    def numbers(self, names: Iterable[str]) -> F64:
        """(N, K) of finite numbers from K columns.

        Raises:
            FormatError: one is missing, has gaps, or holds something else.
        """
        from pyarrow import types

        columns = []
        for name in names:
            column = self._column(name)
            if not (types.is_integer(column.type) or types.is_floating(column.type)):
                raise FormatError(self.path, name, f"must be numbers, not {column.type}")
            with np.errstate(invalid="ignore"):
                values = np.asarray(column.to_numpy(), dtype=np.float64)
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise FormatError(self.path, f"{name}, row {row}", "a number that is not finite")
            columns.append(values)
        return np.column_stack(columns)

    def poses(self, turn_names: Iterable[str], place_names: Iterable[str]) -> SE3Batch:
        """N poses from columns of quaternions, scalar first, and of places.

        Raises:
            FormatError: one is no pose, or farther away than any place on Earth.
        """
        turns_wxyz, places = self.numbers(turn_names), self.numbers(place_names)
        lengths = np.linalg.norm(turns_wxyz.clip(-2, 2), axis=1)
        for off, what in (
            (np.abs(lengths - 1) > LEANING, "a quaternion of length {0:.4g}, not 1"),
            (np.abs(places).max(axis=1, initial=0) > FARTHEST_M, "a place that cannot be"),
        ):
            if off.any():
                row = int(np.argmax(off))
                raise FormatError(self.path, f"row {row}", what.format(lengths[row]))
        return SE3Batch.from_quaternions_wxyz(turns_wxyz, places)

    def scores(self, name: str) -> list[float | None]:
        """A column of finite numbers, None in its gaps.

        Raises:
            FormatError: it is missing, or holds something else.
        """
        values = self._column(name, gaps=True).to_pylist()
        for row, value in enumerate(values):
            if value is not None and not (type(value) in (int, float) and math.isfinite(value)):
                raise FormatError(self.path, f"{name}, row {row}", "must be a finite number")
        return [None if value is None else float(value) for value in values]

    def texts(self, name: str) -> list[str]:
        """A column of texts.

        Raises:
            FormatError: it is missing, has gaps, or holds something else.
        """
        from pyarrow import types

        column = self._column(name)
        if types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not (types.is_string(column.type) or types.is_large_string(column.type)):
            raise FormatError(self.path, name, f"must be texts, not {column.type}")
        return [str(value) for value in self._listed(name, column)]

    def plain(self, name: str) -> list[Any] | None:
        """A column of numbers, texts or flags, None in its gaps; None where it holds anything else."""
        values = self._listed(name, self._table.column(name))
        fits = all(value is None or isinstance(value, bool | int | float | str) for value in values)
        return values if fits else None

    def _listed(self, name: str, column: Any) -> list[Any]:
        try:
            return list(column.to_pylist())
        except UnicodeDecodeError as error:
            raise FormatError(self.path, name, f"not a text in UTF-8: {error.reason}") from None

    def _column(self, name: str, gaps: bool = False) -> Any:
        if self.names.count(name) != 1:
            raise FormatError(self.path, "", f"without the column {name!r}")
        column = self._table.column(name)
        if column.null_count and not gaps:
            raise FormatError(self.path, name, f"{column.null_count} of {len(self)} rows are empty")
        return column


def write_table(path: Path, columns: Mapping[str, Any], note: Any = None) -> None:
    """Writes columns as a Feather table, whole or not at all; a note is kept in its head.

    Raises:
        FormatError: it cannot be written, or a text in it is no Unicode.
    """
    import pyarrow
    from pyarrow import feather

    try:
        table = pyarrow.table(dict(columns))
    except (pyarrow.ArrowException, UnicodeEncodeError, OverflowError) as error:
        raise FormatError(path, "", f"cannot be a table: {' '.join(str(error).split())[:200]}") from None
    if note is not None:
        table = table.replace_schema_metadata({NOTE: json_text(path, "note", note)})
    with replaced_file(path) as part:
        feather.write_feather(table, str(part), compression="zstd")
