"""Feather tables, column by column, read with suspicion."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from calib.types import F64, I64
from formats.errors import FormatError

MOST_ROWS = 20_000_000


class Table:
    """The columns of one file.

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
        except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
            said = " ".join(str(error).split())[:200]
            raise FormatError(path, "", f"not a Feather table: {said}") from None
        if len(self) > MOST_ROWS:
            raise FormatError(path, "", f"more than {MOST_ROWS} rows")

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

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
            values = np.asarray(column.to_numpy(), dtype=np.float64)
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise FormatError(self.path, f"{name}, row {row}", "a number that is not finite")
            columns.append(values)
        return np.column_stack(columns)

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
        return [str(value) for value in column.to_pylist()]

    def plain(self, name: str) -> list[Any] | None:
        """A column of numbers, texts or flags, None in its gaps; None where it holds anything else."""
        values = self._table.column(name).to_pylist()
        fits = all(value is None or isinstance(value, bool | int | float | str) for value in values)
        return values if fits else None

    def _column(self, name: str) -> Any:
        if self.names.count(name) != 1:
            raise FormatError(self.path, "", f"without the column {name!r}")
        column = self._table.column(name)
        if column.null_count:
            raise FormatError(self.path, name, f"{column.null_count} of {len(self)} rows are empty")
        return column
