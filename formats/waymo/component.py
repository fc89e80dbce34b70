"""One component of a segment: a parquet file, read column by column and row by row, with suspicion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3
from calib.types import F64, I64
from formats.errors import FormatError

FRAME, CAMERA, LASER = "key.frame_timestamp_micros", "key.camera_name", "key.laser_name"
MOST_ROWS, MOST_BYTES = 5_000_000, 1 << 28
# Rows that are unpacked together, of a column of keys and of one of images.
COLUMN_BATCH, BATCH = 256, 8
# Of these no time of this century is beyond 64 bits of nanoseconds.
MOST_MICROS = 1 << 52


class Component:
    """A file, of which nothing but its footer is kept.

    Raises:
        FormatError: it is missing or no parquet file.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        if not path.is_file():
            raise FormatError(path, "", "no such file")
        with self._opened() as file:
            self.names = frozenset(file.schema_arrow.names)
            if file.metadata.num_rows > MOST_ROWS:
                raise FormatError(path, "", f"more than {MOST_ROWS} rows")
            groups = range(file.metadata.num_row_groups)
            self._group_rows = [file.metadata.row_group(group).num_rows for group in groups]

    def column(self, field: str) -> str:
        """The full name of a field of this component."""
        return f"[{self.name}].{field}"

    def whole(self, column: str) -> I64:
        """A column of whole numbers, without gaps.

        Raises:
            FormatError: it is missing, has gaps, or holds something else.
        """
        values = self._values(column)
        if values.null_count or values.type.id not in _whole_types():
            raise FormatError(self.path, column, f"must be whole numbers without gaps, not {values.type}")
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)

    def frames_ns(self) -> I64:
        """The instants of the frames that rows belong to.

        Raises:
            FormatError: they are missing or cannot be.
        """
        micros = self.whole(FRAME)
        if len(micros) and not 0 <= micros.min() <= micros.max() < MOST_MICROS:
            raise FormatError(self.path, FRAME, "a time that cannot be")
        return micros * 1000

    def numbers(self, *columns: str, gaps: bool = False) -> F64:
        """(N, K) finite numbers of K columns; NaN for their gaps where there may be such.

        Raises:
            FormatError: one is missing, has gaps, or holds something else.
        """
        found = []
        for column in columns:
            values = self._values(column)
            if not (values.type.id in _whole_types() or str(values.type) in ("double", "float", "halffloat")):
                raise FormatError(self.path, column, f"must be numbers, not {values.type}")
            if values.null_count and not gaps:
                raise FormatError(self.path, column, f"{values.null_count} rows are empty")
            dense = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
            if not (np.isfinite(dense) | (np.isnan(dense) & gaps)).all():
                raise FormatError(self.path, column, "a number that is not finite")
            found.append(dense)
        return np.column_stack(found)

    def texts(self, column: str) -> list[str]:
        """A column of texts, without gaps.

        Raises:
            FormatError: it is missing, has gaps, or holds something else.
        """
        values = self._values(column)
        if values.null_count or str(values.type) not in ("string", "large_string"):
            raise FormatError(self.path, column, f"must be texts without gaps, not {values.type}")
        with self._opened():
            return [str(value) for value in values.to_pylist()]

    def lists(self, column: str) -> list[F64 | None]:
        """A column of lists of finite numbers; None in its gaps.

        Raises:
            FormatError: it is missing, or holds something else.
        """
        return [
            None if row is None else self._numbers(column, row) for row in self._values(column).to_pylist()
        ]

    def transforms(self, column: str) -> list[SE3]:
        """A column of rigid transforms: 4 x 4 numbers, row by row.

        Raises:
            FormatError: it is missing, or one is no such transform.
        """
        made = []
        for row, numbers in enumerate(self.lists(column)):
            if numbers is None or numbers.shape != (16,):
                raise FormatError(self.path, f"{column}, row {row}", "needs 16 numbers")
            try:
                made.append(SE3.nearest(numbers.reshape(4, 4)))
            except (CalibrationError, np.linalg.LinAlgError) as error:
                raise FormatError(self.path, f"{column}, row {row}", str(error)) from None
        return made

    def row(self, number: int, columns: Sequence[str]) -> dict[str, Any]:
        """The values of one row, read without the other rows of the file.

        Raises:
            FormatError: a column is missing, the row is too large, or the file has changed.
        """
        group, start = 0, 0
        while group < len(self._group_rows) and number >= start + self._group_rows[group]:
            start += self._group_rows[group]
            group += 1
        for column in columns:
            self._require(column)
        with self._opened() as file:
            if group >= file.metadata.num_row_groups:
                raise FormatError(self.path, f"row {number}", "has changed while it was read")
            batches = file.iter_batches(BATCH, row_groups=[group], columns=[*columns], use_threads=False)
            at = start
            for batch in batches:
                if batch.nbytes > MOST_BYTES:
                    raise FormatError(self.path, f"row {number}", "rows that are too large")
                if number < at + batch.num_rows:
                    return {name: batch.column(name)[number - at] for name in columns}
                at += batch.num_rows
        raise FormatError(self.path, f"row {number}", "has changed while it was read")

    def _numbers(self, column: str, row: Any) -> F64:
        try:
            numbers = np.array(row, dtype=np.float64)
        except (TypeError, ValueError):
            raise FormatError(self.path, column, "must be lists of numbers") from None
        if numbers.ndim != 1 or not np.isfinite(numbers).all():
            raise FormatError(self.path, column, "must be lists of finite numbers")
        return numbers

    def _values(self, column: str) -> Any:
        self._require(column)
        import pyarrow  # type: ignore[import-untyped]

        parts, size = [], 0
        with self._opened() as file:
            kind = file.schema_arrow.field(column).type
            for batch in file.iter_batches(COLUMN_BATCH, columns=[column], use_threads=False):
                parts.append(batch.column(column))
                size += parts[-1].nbytes
                if size > MOST_BYTES:
                    raise FormatError(self.path, column, f"unpacks to more than {MOST_BYTES >> 20} MiB")
            values = pyarrow.concat_arrays(parts) if parts else pyarrow.array([], kind)
        if len(values) != sum(self._group_rows):
            message = f"{len(values)} values for {sum(self._group_rows)} rows"
            raise FormatError(self.path, column, message)
        return values

    def _require(self, column: str) -> None:
        if column not in self.names:
            raise FormatError(self.path, "", f"without the column {column!r}")

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import pyarrow
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.path, pre_buffer=False) as file:
                yield file
        except FormatError:
            raise
        except (pyarrow.ArrowException, OSError, ValueError, MemoryError, LookupError) as error:
            said = " ".join(str(error).split())[:200]
            raise FormatError(self.path, "", f"not a parquet file that can be read: {said}") from None


def _whole_types() -> frozenset[int]:
    import pyarrow

    makers: tuple[Callable[[], Any], ...] = (
        pyarrow.int8,
        pyarrow.int16,
        pyarrow.int32,
        pyarrow.int64,
        pyarrow.uint8,
        pyarrow.uint16,
        pyarrow.uint32,
    )
    return frozenset(make().id for make in makers)
