"""What a file of JSON or YAML holds, checked as it is asked for: every error names the file and the place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.files import read_json, read_text

MOST_YAML_CHARACTERS = 1 << 22
MOST_IMAGE_PX = 1 << 16
MOST_REPEATED, DEEPEST_YAML, DEEPEST_NUMBERS = 1000, 32, 4
SHORT_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")


class Field:
    """A value in a file of nested keys, and the way there."""

    __slots__ = ("path", "value", "where")

    def __init__(self, path: Path, where: str, value: Any) -> None:
        self.path, self.where, self.value = path, where, value

    def error(self, message: str) -> FormatError:
        """An error that names the file and the place."""
        return FormatError(self.path, self.where, message)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str) -> Field:
        """What stands under a key.

        Raises:
            FormatError: this is no table of keys, or without that one.
        """
        table = self._table()
        if key not in table:
            raise self.error(f"without the key {key!r}")
        return Field(self.path, f"{self.where}.{key}".lstrip("."), table[key])

    def get(self, key: str) -> Field | None:
        """What stands under a key, None where nothing does."""
        return self[key] if key in self and self[key].value is not None else None

    def first(self, *keys: str) -> Field:
        """What stands under the first of these keys that is there.

        Raises:
            FormatError: none is.
        """
        found = next((key for key in keys if key in self._table()), None)
        if found is None:
            raise self.error(f"without any of the keys {', '.join(map(repr, keys))}")
        return self[found]

    def items(self) -> Iterator[tuple[str, Field]]:
        """Every key with what stands under it.

        Raises:
            FormatError: this is no table of keys.
        """
        for key in self._table():
            if not isinstance(key, str):
                raise self.error(f"the key {short(key)} is no text")
            yield key, self[key]

    def values(self) -> list[Field]:
        """What stands under every key.

        Raises:
            FormatError: this is no table of keys.
        """
        return [part for _, part in self.items()]

    def entries(self) -> list[Field]:
        """Every entry of a list.

        Raises:
            FormatError: this is no list.
        """
        if not isinstance(self.value, list):
            raise self.error(f"must be a list, not {short(self.value)}")
        return [Field(self.path, f"{self.where}.{k}", value) for k, value in enumerate(self.value)]

    def _table(self) -> dict[Any, Any]:
        if not isinstance(self.value, dict):
            raise self.error(f"must be a table of keys, not {short(self.value)}")
        return self.value

    def text(self) -> str:
        """A text.

        Raises:
            FormatError: it is none.
        """
        if not isinstance(self.value, str):
            raise self.error(f"must be a text, not {short(self.value)}")
        return self.value

    def number(self) -> float:
        """A finite number.

        Raises:
            FormatError: it is none.
        """
        value = self.value
        if type(value) not in (int, float) or not math.isfinite(_float(value)):
            raise self.error(f"must be a finite number, not {short(value)}")
        return _float(value)

    def whole(self) -> int:
        """A whole number, which may be written as 7 or 7.0.

        Raises:
            FormatError: it is none.
        """
        number = self.number()
        if number != math.floor(number):
            raise self.error(f"must be a whole number, not {short(self.value)}")
        return int(self.value)

    def flag(self) -> bool:
        """True or false, which may be written as 1 or 0.

        Raises:
            FormatError: it is neither.
        """
        if self.value not in (True, False):
            raise self.error(f"must be true or false, not {short(self.value)}")
        return bool(self.value)

    def numbers(self, *counts: int) -> list[float]:
        """Finite numbers in a list, which may be nested; of one of these lengths, if any are given.

        Raises:
            FormatError: they are not that.
        """
        numbers = self._numbers(DEEPEST_NUMBERS)
        if counts and len(numbers) not in counts:
            raise self.error(f"needs {' or '.join(map(str, counts))} numbers, not {len(numbers)}")
        return numbers

    def _numbers(self, depth: int) -> list[float]:
        if depth == 0:
            raise self.error("lists within lists within lists")
        numbers: list[float] = []
        for entry in self.entries():
            nested = isinstance(entry.value, list)
            numbers += entry._numbers(depth - 1) if nested else [entry.number()]
        return numbers

    def matrix(self, rows: int, columns: int) -> F64:
        """A matrix, row by row, flat or nested.

        Raises:
            FormatError: it is none of this size.
        """
        return np.array(self.numbers(rows * columns), dtype=np.float64).reshape(rows, columns)

    def rigid(self, tolerance: float = 1e-3) -> SE3:
        """The rigid transform in a 4x4 or 3x4 matrix that may have been printed with few digits.

        Raises:
            FormatError: it is none.
        """
        numbers = np.array(self.numbers(16, 12), dtype=np.float64).reshape(-1, 4)
        if len(numbers) == 4 and not np.allclose(numbers[3], (0, 0, 0, 1), atol=1e-9):
            raise self.error(f"the last row of a rigid transform is 0 0 0 1, not {numbers[3].tolist()}")
        try:
            return SE3.nearest(numbers, tolerance)
        except CalibrationError as error:
            raise self.error(str(error)) from None

    def size_px(self, width: int | Field, height: int | Field) -> tuple[int, int]:
        """Width and height of an image.

        Raises:
            FormatError: not positive whole numbers, or beyond what a camera has.
        """
        size = tuple(side if isinstance(side, int) else side.whole() for side in (width, height))
        if not all(0 < side <= MOST_IMAGE_PX for side in size):
            raise self.error(f"an image cannot be {size[0]} x {size[1]} pixels")
        return size[0], size[1]


def read_json_fields(path: Path) -> Field:
    """The root of a JSON file.

    Raises:
        FormatError: it cannot be read, is no JSON, or holds NaN or infinity.
    """
    return Field(path, "", read_json(path))


def read_yaml_fields(path: Path) -> Field:
    """The root of a YAML file, OpenCV's `%YAML:1.0` too; tags that make objects are refused.

    Raises:
        FormatError: it cannot be read, or is no plain YAML.
    """
    import yaml

    text = read_text(path)
    if len(text) > MOST_YAML_CHARACTERS:
        raise FormatError(path, "", "too long for a file of calibration")
    if text.startswith("%YAML:1.0"):
        text = text.partition("\n")[2]
    loader = _plain_loader()
    try:
        _refuse_bombs(path, yaml.parse(text, Loader=loader))
        return Field(path, "", yaml.load(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise FormatError(path, place, " ".join(str(error.problem or error.context).split())) from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise FormatError(path, "", f"not YAML that can be read: {' '.join(str(error).split())}") from None


def _refuse_bombs(path: Path, events: Iterable[Any]) -> None:
    """A few small parts may be repeated by reference, but none that repeats others; nor may it be deep."""
    import yaml

    anchored: list[bool] = []
    repeated = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            repeated += 1
            if any(anchored) or repeated > MOST_REPEATED:
                raise FormatError(path, "", "refused: it repeats parts of itself by reference")
        elif isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
            if len(anchored) > DEEPEST_YAML:
                raise FormatError(path, "", f"refused: nested more than {DEEPEST_YAML} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()


@lru_cache(maxsize=1)
def _plain_loader() -> Any:
    """PyYAML's safe loader that also takes 1e-5 for a number, as YAML 1.2 does, and OpenCV's matrices."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", SHORT_FLOAT, list("-+0123456789."))
    Loader.add_constructor(
        "tag:yaml.org,2002:opencv-matrix", lambda loader, node: loader.construct_mapping(node, deep=True)
    )
    return Loader


def short(value: object) -> str:
    """A value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
