"""The tables: JSON lists of rows, written and read one row at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from formats.errors import FormatError
from formats.nuscenes.tokens import EXTRA

TABLES = (
    "category",
    "attribute",
    "visibility",
    "instance",
    "sensor",
    "calibrated_sensor",
    "ego_pose",
    "log",
    "scene",
    "sample",
    "sample_data",
    "sample_annotation",
    "map",
)
CHUNK = 1 << 20
MOST_US = 2**63 // 1000 - 1
ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
_BETWEEN_ROWS = re.compile(r"[ \t\r\n,]*")

Span = tuple[int, int]


class Row:
    """One row of a table, whose fields are checked as they are asked for."""

    __slots__ = ("fields", "path")

    def __init__(self, path: Path, fields: dict[str, Any]) -> None:
        self.path, self.fields = path, fields

    def error(self, message: str) -> FormatError:
        """An error that names the table and the row."""
        return FormatError(self.path, f"token {self.fields.get('token')!r}", message)

    def text(self, name: str) -> str:
        """A field that must be a text."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise self.error(f"{name} must be a text, not {_short(value)}")
        return value

    def whole(self, name: str) -> int:
        """A field that must be a whole number."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(f"{name} must be a whole number, not {_short(value)}")
        return value

    def numbers(self, name: str, count: int) -> list[float]:
        """A field that must be a list of so many numbers."""
        value = self.fields.get(name)
        plain = isinstance(value, list) and all(type(v) in (int, float) for v in value)
        if not plain or not isinstance(value, list) or len(value) != count:
            raise self.error(f"{name} must be {count} numbers, not {_short(value)}")
        return value

    @property
    def extra(self) -> dict[str, Any]:
        """What our writer put beside the fields of nuScenes; empty in the rows of others."""
        value = self.fields.get(EXTRA, {})
        if not isinstance(value, dict):
            raise self.error(f"{EXTRA} must be an object, not {_short(value)}")
        return value

    def timestamp_ns(self) -> int:
        """The instant of the row, in nanoseconds where our writer kept them."""
        exact = self.extra.get("timestamp_ns")
        micros = self.whole("timestamp")
        if abs(micros) > MOST_US:
            raise self.error(f"timestamp {_short(micros)} us is no instant")
        return exact if isinstance(exact, int) and exact // 1000 == micros else micros * 1000


def rows(path: Path) -> Iterator[tuple[Span, Row]]:
    """Every row of a table with the bytes it stands in; holds no more than one piece of the file.

    Raises:
        FormatError: missing, no list of objects, cut short, NaN or infinity in it.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at, base, number = 0, 0, 0
    try:
        # One character a byte, so that positions in the text are positions in the file.
        with path.open(encoding="latin-1", newline="") as stream:
            text = stream.read(CHUNK)
            at = _BETWEEN_ROWS.match(text, 3 if text.startswith("ï»¿") else 0).end()  # type: ignore[union-attr]
            if text[at : at + 1] != "[":
                raise FormatError(path, "", "not a JSON list of rows")
            at += 1
            while True:
                at = _BETWEEN_ROWS.match(text, at).end()  # type: ignore[union-attr]
                if text[at : at + 1] == "]":
                    return
                try:
                    fields, end = decoder.raw_decode(text, at)
                except json.JSONDecodeError as error:
                    more = stream.read(max(CHUNK, len(text) - at))
                    if not more:
                        raise FormatError(
                            path, f"row {number}", f"broken or cut short: {error.msg}"
                        ) from None
                    text, base, at = text[at:] + more, base + at, 0
                    continue
                yield (base + at, base + end), _row(path, number, fields, text[at:end])
                at, number = end, number + 1
    except FileNotFoundError:
        raise FormatError(path, "", "no such table") from None
    except OSError as error:
        raise FormatError(path, "", f"cannot be read: {error.strerror}") from None
    except (RecursionError, ValueError) as error:
        raise FormatError(path, f"row {number}", f"not JSON that can be read: {error}") from None


def read_spans(path: Path, spans: Sequence[Span]) -> list[Row]:
    """The rows that stand in these bytes of a table.

    Raises:
        FormatError: the table is gone, or has changed.
    """
    try:
        with path.open("rb") as stream:
            return [Row(path, json.loads(_bytes_at(stream, span))) for span in spans]
    except (OSError, ValueError) as error:
        raise FormatError(path, "", f"has changed while it was read: {error}") from None


def read_texts(path: Path, spans: Sequence[Span]) -> list[str]:
    """The same as the texts that stand there.

    Raises:
        FormatError: the table is gone, or has changed.
    """
    try:
        with path.open("rb") as stream:
            return [_bytes_at(stream, span).decode() for span in spans]
    except (OSError, ValueError) as error:
        raise FormatError(path, "", f"has changed while it was read: {error}") from None


def _bytes_at(stream: IO[bytes], span: Span) -> bytes:
    stream.seek(span[0])
    return stream.read(span[1] - span[0])


def by_token(path: Path) -> dict[str, Row]:
    """A whole table that is small.

    Raises:
        FormatError: as `rows`, or two rows share a token.
    """
    table: dict[str, Row] = {}
    for _, row in rows(path):
        if table.setdefault(row.text("token"), row) is not row:
            raise row.error("two rows have this token")
    return table


class TableWriter:
    """Writes all thirteen tables, and others that are asked for, row by row: a long log needs no memory.

    Attributes:
        folder: of the tables.
        carried: fields that are put beside those of a row, by table and token.
    """

    def __init__(self, folder: Path, names: Sequence[str] = TABLES) -> None:
        self.folder = folder
        self.carried: dict[tuple[str, str], dict[str, Any]] = {}
        self._names = names
        self._stack = ExitStack()
        self._streams: dict[str, IO[str]] = {}
        self._begun: set[str] = set()
        self._shared: set[tuple[str, str]] = set()

    def __enter__(self) -> TableWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self._names:
            self._open(name)
        return self

    def _open(self, name: str) -> IO[str]:
        stream = (self.folder / f"{name}.json").open("w", encoding="utf-8", newline="\n")
        self._streams[name] = self._stack.enter_context(stream)
        stream.write("[")
        return stream

    def add(self, table: str, token: str, /, **fields: Any) -> str:
        """Writes a row and returns its token; what stands under `crosslabel` is left out where empty.

        Raises:
            FormatError: a number is not finite, or a value is none of JSON's.
        """
        if not fields.get(EXTRA, True):
            del fields[EXTRA]
        self.add_row(table, {"token": token, **self.carried.pop((table, token), {}), **fields})
        return token

    def add_row(self, table: str, row: dict[str, Any], once: bool = False) -> None:
        """Writes a row as it is; with `once` a second row that says the same is left out.

        Raises:
            FormatError: as `add`.
        """
        try:
            line = ENCODER.encode(row)
        except (TypeError, ValueError) as error:
            where = f"token {row.get('token')!r}"
            raise FormatError(self.folder / f"{table}.json", where, str(error)) from None
        if once and (table, line) in self._shared:
            return
        if once:
            self._shared.add((table, line))
        self.add_text(table, line)

    def add_text(self, table: str, line: str) -> None:
        """Writes a row that is JSON already.

        Raises:
            FormatError: half a surrogate pair stands in it, which is no text.
        """
        stream = self._streams.get(table) or self._open(table)
        try:
            stream.write(("\n" if table not in self._begun else ",\n") + line)
        except UnicodeEncodeError as error:
            where = f"row {line[:60]!r}"
            raise FormatError(self.folder / f"{table}.json", where, f"no text: {error.reason}") from None
        self._begun.add(table)

    def add_shared(self, table: str, token: str, /, **fields: Any) -> str:
        """Writes a row that several logs share, the first time only, and returns its token."""
        if (table, token) not in self._shared:
            self._shared.add((table, token))
            self.add(table, token, **fields)
        return token

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None:
                for stream in self._streams.values():
                    stream.write("\n]\n")


def _row(path: Path, number: int, fields: Any, text: str) -> Row:
    if not isinstance(fields, dict):
        raise FormatError(path, f"row {number}", f"must be an object, not {_short(fields)}")
    return Row(path, fields if text.isascii() else json.loads(text.encode("latin-1")))


def _refuse(text: str) -> float:
    raise ValueError(f"{text} where a finite number is needed")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
