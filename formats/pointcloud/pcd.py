"""The Point Cloud Library's PCD files, version 0.7: any layout of fields read, binary written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import FormatError
from formats.files import read_bytes, write_bytes
from formats.pointcloud.cloud import Column, PointCloud

MOST_HEADER_BYTES = 1 << 16
MOST_RECORD_BYTES = 1 << 16
MOST_LZF_RATIO = 100
KINDS = {"F": (4, 8), "I": (1, 2, 4, 8), "U": (1, 2, 4, 8)}
PADDING = "_"
KEYS = ("VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA")


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says.

    Attributes:
        record: one point in bytes, without its padding.
        words: name, kind and number of each field as text, padding under names that begin with `_`.
        count: number of points.
        data: ascii, binary or binary_compressed.
        end: where the points begin in the file.
    """

    record: np.dtype[Any]
    words: list[tuple[str, str, int]]
    count: int
    data: str
    end: int


def read_pcd(path: Path) -> dict[str, Column]:
    """The columns of a file, by the names of its fields.

    Raises:
        FormatError: not a PCD file, cut short, or a header that cannot be.
    """
    content = read_bytes(path)
    header = _read_header(path, content)
    body = memoryview(content)[header.end :]
    if header.data == "ascii":
        return _read_ascii(path, header, bytes(body))
    if header.data == "binary":
        return _read_binary(path, header, body)
    return _read_compressed(path, header, body)


def write_pcd(path: Path, cloud: PointCloud) -> None:
    """Writes a binary PCD whole or not at all: x y z, and of intensity, ring and offset_ns what is there.

    Times are written as offsets; the clock's instant that they count from (`start_ns`) is not.

    Raises:
        FormatError: it cannot be written.
    """
    columns = {axis: cloud.points[:, k] for k, axis in enumerate("xyz")}
    types = dict.fromkeys("xyz", "<f4")
    optional = (("intensity", "<f4"), ("ring", "<u2"), ("offset_ns", "<i4"))
    for name, type_code in optional:
        column = getattr(cloud, name)
        if column is not None:
            columns[name], types[name] = column, type_code
    table = np.empty(len(cloud), dtype=[*types.items()])
    for name, column in columns.items():
        table[name] = column
    write_bytes(path, _header_text(types, len(cloud)).encode() + table.tobytes())


def _header_text(types: dict[str, str], count: int) -> str:
    rows = {
        "VERSION": "0.7",
        "FIELDS": " ".join(types),
        "SIZE": " ".join(code[2] for code in types.values()),
        "TYPE": " ".join(code[1].upper() for code in types.values()),
        "COUNT": " ".join("1" for _ in types),
        "WIDTH": str(count),
        "HEIGHT": "1",
        "VIEWPOINT": "0 0 0 1 0 0 0",
        "POINTS": str(count),
        "DATA": "binary",
    }
    lines = "".join(f"{key} {value}\n" for key, value in rows.items())
    return f"# .PCD v0.7 - Point Cloud Data file format\n{lines}"


def _read_header(path: Path, content: bytes) -> Header:
    rows: dict[str, list[str]] = {}
    at = 0
    while "DATA" not in rows:
        newline = content.find(b"\n", at, MOST_HEADER_BYTES)
        if newline < 0:
            raise FormatError(path, "header", "not a PCD file: no line DATA")
        words = content[at:newline].decode("latin-1").split()
        at = newline + 1
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in KEYS:
            raise FormatError(path, "header", f"not a PCD file: a line begins with {words[0][:40]!r}")
        rows[words[0]] = words[1:]
    fields = _fields(path, rows)
    data = " ".join(rows["DATA"])
    if data not in ("ascii", "binary", "binary_compressed"):
        raise FormatError(path, "header", f"DATA is ascii, binary or binary_compressed, not {data[:40]!r}")
    texts = [(name, code[1], count) for name, code, count in fields if count]
    return Header(_laid_out(fields), texts, _count(path, rows), data, at)


def _count(path: Path, rows: dict[str, list[str]]) -> int:
    numbers = {}
    for key in ("WIDTH", "HEIGHT", "POINTS"):
        if key in rows:
            (numbers[key],) = _wholes(path, key, rows[key], 1)
    if "WIDTH" not in numbers and "POINTS" not in numbers:
        raise FormatError(path, "header", "without WIDTH and POINTS")
    area = numbers.get("WIDTH", 0) * numbers.get("HEIGHT", 1)
    count = numbers.get("POINTS", area)
    if "WIDTH" in numbers and area != count:
        raise FormatError(path, "header", f"WIDTH times HEIGHT is {area}, but POINTS is {count}")
    return count


def _wholes(path: Path, key: str, words: list[str], count: int) -> list[int]:
    if len(words) != count or not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        raise FormatError(path, "header", f"{key} needs {count} whole numbers")
    return [int(word) for word in words]


def _fields(path: Path, rows: dict[str, list[str]]) -> list[tuple[str, str, int]]:
    """Name, numpy type and number of each field, padding under names that begin with `_`."""
    names = rows.get("FIELDS", [])
    if not names or len(names) > 1000:
        raise FormatError(path, "header", "without FIELDS")
    sizes = _wholes(path, "SIZE", rows.get("SIZE", []), len(names))
    counts = _wholes(path, "COUNT", rows.get("COUNT", ["1"] * len(names)), len(names))
    kinds = rows.get("TYPE", [])
    if len(kinds) != len(names) or any(kind not in KINDS for kind in kinds):
        raise FormatError(path, "header", f"TYPE needs {len(names)} letters out of F, I and U")
    fields, taken = [], set()
    for place, (name, size, count, kind) in enumerate(zip(names, sizes, counts, kinds, strict=True)):
        if size not in KINDS[kind] or count > 1 << 20:
            raise FormatError(path, "header", f"the field {name!r} cannot be {count} times {kind}{size}")
        unique = f"{PADDING}{place}" if name == PADDING else name
        if unique in taken:
            raise FormatError(path, "header", f"two fields are called {name!r}")
        taken.add(unique)
        fields.append((unique, f"<{kind.lower()}{size}", count))
    if not 0 < sum(int(code[2:]) * count for _, code, count in fields) <= MOST_RECORD_BYTES:
        raise FormatError(path, "header", "a point of no bytes, or of too many")
    return fields


def _laid_out(fields: list[tuple[str, str, int]]) -> np.dtype[Any]:
    """Fields one behind the other, as PCD means them, but for one broken way of writing.

    Some writers announce a gap of no bytes where their C struct has one, and put a later gap elsewhere (so
    in the example of SUSTechPOINTS). There a number would straddle its own alignment: from the empty gap
    on, every number is then taken to lie where a C compiler puts it. The length of a point stays.
    """
    offsets, at, natural, gap_seen, straddles = [], 0, [], False, False
    aligned = 0
    for name, code, count in fields:
        size = int(code[2:])
        gap = name.startswith(PADDING)
        gap_seen |= gap and count == 0
        if not gap_seen:
            aligned = at
        elif not gap:
            straddles |= at % size != 0
            aligned = -(-aligned // size) * size
        offsets.append(at)
        natural.append(aligned)
        at += size * count
        aligned += 0 if gap_seen and gap else size * count
    use_natural = gap_seen and straddles and aligned <= at
    kept = [k for k, (name, _, count) in enumerate(fields) if count and not name.startswith(PADDING)]
    return np.dtype(
        {
            "names": [fields[k][0] for k in kept],
            "formats": [(fields[k][1], (fields[k][2],)) if fields[k][2] > 1 else fields[k][1] for k in kept],
            "offsets": [(natural if use_natural else offsets)[k] for k in kept],
            "itemsize": at,
        }
    )


def _read_ascii(path: Path, header: Header, text: bytes) -> dict[str, Column]:
    lines = [line for line in text.decode("latin-1").splitlines() if line and not line.isspace()]
    if len(lines) < header.count:
        raise FormatError(path, "", f"cut short: {len(lines)} lines for {header.count} points")
    wide = {"f": np.float64, "i": np.int64, "u": np.uint64}
    record = np.dtype([(name, wide[kind], (count,)) for name, kind, count in header.words])
    if header.count == 0:
        return _named(np.empty(0, record))
    try:
        table = np.loadtxt(lines[: header.count], record, comments=None, ndmin=1)
    except (ValueError, OverflowError) as error:
        raise FormatError(path, "points", f"not the numbers that the header tells: {error}") from None
    return _named(table)


def _read_binary(path: Path, header: Header, body: memoryview) -> dict[str, Column]:
    """More bytes than the points need are normal: some writers fill up the last page."""
    needed = header.count * header.record.itemsize
    if needed > len(body):
        message = f"cut short: {header.count} points need {needed} bytes, {len(body)} are there"
        raise FormatError(path, "", message)
    table = np.frombuffer(body, header.record, header.count)
    return _named(table) | _together(table)


def _together(table: Column) -> dict[str, Column]:
    """x, y and z of one array, copied at once, where they lie behind each other."""
    fields: Mapping[str, Any] = table.dtype.fields or {}
    places = [fields[axis][:2] for axis in "xyz" if axis in fields]
    first = places[0][1] if places else 0
    if places != [(np.dtype("<f4"), first + 4 * k) for k in range(3)]:
        return {}
    block = np.dtype(
        {"names": ["xyz"], "formats": ["V12"], "offsets": [first], "itemsize": table.dtype.itemsize}
    )
    points: Column = np.empty((len(table), 3), dtype="<f4")
    points.view("V12")[:, 0] = table.view(block)["xyz"]
    return {axis: points[:, k] for k, axis in enumerate("xyz")}


def _read_compressed(path: Path, header: Header, body: memoryview) -> dict[str, Column]:
    """All x, then all y and so on, packed together with LZF; padding is left out."""
    from formats.pointcloud import _kernels

    fields = {name: header.record[name] for name in header.record.names or ()}
    needed = header.count * sum(field.itemsize for field in fields.values())
    sizes = np.frombuffer(body[:8], "<u4") if len(body) >= 8 else np.zeros(2, "<u4")
    packed_size, unpacked_size = int(sizes[0]), int(sizes[1])
    if packed_size > len(body) - 8:
        raise FormatError(path, "", f"cut short: {packed_size} packed bytes, {len(body) - 8} are there")
    if unpacked_size != needed or needed > MOST_LZF_RATIO * packed_size:
        message = f"{header.count} points need {needed} bytes, the packed part says {unpacked_size}"
        raise FormatError(path, "", message)
    unpacked = np.empty(needed, np.uint8)
    if _kernels.unpack_lzf(np.frombuffer(body[8 : 8 + packed_size], np.uint8), unpacked) != needed:
        raise FormatError(path, "", "the packed points are damaged")
    columns, at = {}, 0
    for name, field in fields.items():
        columns[name] = unpacked[at : at + header.count * field.itemsize].view(field.base)
        at += header.count * field.itemsize
    return {name: c.reshape(header.count, -1)[:, 0] for name, c in columns.items() if header.count}


def _named(table: Column) -> dict[str, Column]:
    """Columns by name; of a field of several numbers a point, the first."""
    names = [name for name in table.dtype.names or () if not name.startswith(PADDING)]
    return {name: table[name] if table[name].ndim == 1 else table[name][:, 0] for name in names}
