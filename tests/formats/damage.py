"""Files damaged at random, over and over: a reader says so in one error, or reads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from formats.errors import FormatError

MORSELS = (
    b"NaN",
    b"-1",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"\0",
    b"0",
    b"99999999999",
    b"\xff",
    b"-0.5",
    b" ",
)


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """The content with bits turned, parts cut out, doubled or put elsewhere, or other words put in."""
    data = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        at, length = int(random.integers(0, len(data) + 1)), int(random.integers(1, 40))
        match int(random.integers(0, 6)):
            case 0 if data:
                data[at % len(data)] ^= 1 << int(random.integers(0, 8))
            case 1:
                del data[at : at + length]
            case 2:
                data = data[:at]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + len(morsel)] = (morsel := MORSELS[int(random.integers(0, len(MORSELS)))])
            case _:
                data[at:at] = MORSELS[int(random.integers(0, len(MORSELS)))]
    return bytes(data)


def survive(files: list[Path], read: Callable[[], object], each: int) -> tuple[int, int]:
    """Damages each file `each` times and reads; how often an error told it, and how often it was read."""
    told, done = 0, 0
    for number, file in enumerate(files):
        content = file.read_bytes()
        random = np.random.default_rng([number, len(content)])
        for _ in range(each):
            file.write_bytes(damaged(content, random))
            try:
                read()
                done += 1
            except FormatError as error:
                assert "\n" not in str(error) and len(str(error)) < 600, str(error)
                told += 1
        file.write_bytes(content)
    return told, done
