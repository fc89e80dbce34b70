"""Files that go along with a data set as they are."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from formats.errors import FormatError
from formats.nuscenes.images import copy_file


def in_pieces(there: int, here: int, count: int) -> int:
    return os.write(here, os.read(there, min(count, 7)))


def not_here(there: int, here: int, count: int) -> int:
    os.write(here, b"begun")
    raise OSError(errno.EXDEV, "not from one disk to another")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies within the system")
@pytest.mark.parametrize("copies", [os.copy_file_range, in_pieces, not_here, lambda *_: 0])
@pytest.mark.parametrize("content", [b"", b"some thirty bytes, more or less"])
@pytest.mark.parametrize("there_already", [False, True])
def test_copies_are_whole_whatever_the_system_can(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    copies: Callable[[int, int, int], int],
    content: bytes,
    there_already: bool,
) -> None:
    monkeypatch.setattr(os, "copy_file_range", copies)
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(content)
    if there_already:
        copy.write_bytes(b"what was there before, and was longer than what comes")
    copy_file(source, copy, hard_link=False)
    assert copy.read_bytes() == content == source.read_bytes()


def test_a_file_that_cannot_be_copied_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with pytest.raises(OSError, match="same file"):
        copy_file(tmp_path / "a", tmp_path / "a", hard_link=False)
    assert (tmp_path / "a").read_bytes() == b"content"
    with pytest.raises(FormatError, match="gone: no such file"):
        copy_file(tmp_path / "gone", tmp_path / "b", hard_link=False)
