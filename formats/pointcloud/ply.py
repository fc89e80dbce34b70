"""Stanford's PLY: the vertices of a file, ascii or binary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import FormatError
from formats.files import read_bytes
from formats.pointcloud.cloud import Column

MOST_HEADER_BYTES = 1 << 16
TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
END = b"end_header"


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says of its vertices, which must come first.

    Attributes:
        order: numpy's sign of the byte order, empty for text.
        fields: name and numpy type of each number of a vertex.
        count: number of vertices.
        end: where they begin in the file.
    """

    order: str
    fields: list[tuple[str, str]]
    count: int
    end: int


def read_ply(path: Path) -> dict[str, Column]:
    """The columns of the vertices by the names of their properties.

    Raises:
        FormatError: not a PLY file, cut short, or vertices with lists in them.
    """
    content = read_bytes(path)
    header = _read_header(path, content)
    if not header.order:
        return _read_ascii(path, header, content[header.end :])
    record = np.dtype([(name, header.order + code) for name, code in header.fields])
    needed, available = header.count * record.itemsize, len(content) - header.end
    if needed > available:
        message = f"cut short: {header.count} points need {needed} bytes, {available} are there"
        raise FormatError(path, "", message)
    table = np.frombuffer(content, record, header.count, header.end)
    return {name: table[name] for name, _ in header.fields}


def _read_ascii(path: Path, header: Header, text: bytes) -> dict[str, Column]:
    lines = [line for line in text.decode("latin-1").splitlines() if line and not line.isspace()]
    if len(lines) < header.count:
        raise FormatError(path, "", f"cut short: {len(lines)} lines for {header.count} points")
    if header.count == 0:
        return {name: np.empty(0) for name, _ in header.fields}
    try:
        table = np.loadtxt(lines[: header.count], np.float64, comments=None, ndmin=2)
    except (ValueError, OverflowError) as error:
        raise FormatError(path, "vertices", f"not the numbers that the header tells: {error}") from None
    if table.shape[1] != len(header.fields):
        message = f"{table.shape[1]} numbers a line, the header tells {len(header.fields)}"
        raise FormatError(path, "vertices", message)
    return {name: table[:, k] for k, (name, _) in enumerate(header.fields)}


def _read_header(path: Path, content: bytes) -> Header:
    end = content.find(END, 0, MOST_HEADER_BYTES)
    newline = content.find(b"\n", end) if end >= 0 else -1
    if not content.startswith(b"ply") or newline < 0:
        raise FormatError(path, "header", "not a PLY file")
    order, fields, count, elements = None, [], 0, 0
    for number, line in enumerate(content[:end].decode("latin-1").splitlines()[1:], start=2):
        words = line.split()
        if words[:1] == ["format"]:
            order = ORDERS.get(words[1]) if len(words) > 1 else None
        elif words[:1] == ["element"]:
            elements += 1
            if elements == 1:
                count = _vertex_count(path, number, words)
        elif words[:1] == ["property"] and elements == 1:
            fields.append(_property(path, number, words))
        elif words[:1] not in ([], ["comment"], ["obj_info"], ["property"]):
            raise FormatError(path, f"line {number}", f"not a PLY file: a line begins with {words[0][:40]!r}")
    if order is None:
        raise FormatError(path, "header", "without a format that is ascii or binary")
    if not fields or len({name for name, _ in fields}) < len(fields):
        raise FormatError(path, "header", "vertices need properties of different names")
    return Header(order, fields, count, newline + 1)


def _vertex_count(path: Path, number: int, words: list[str]) -> int:
    well = len(words) == 3 and words[1] == "vertex" and words[2].isascii() and words[2].isdigit()
    if not well or len(words[2]) > 18:
        raise FormatError(path, f"line {number}", "the first element must be so many vertices")
    return int(words[2])


def _property(path: Path, number: int, words: list[str]) -> tuple[str, Any]:
    if len(words) != 3 or words[1] not in TYPES:
        raise FormatError(path, f"line {number}", "a vertex may hold plain numbers only")
    return words[2], TYPES[words[1]]
