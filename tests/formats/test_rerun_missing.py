"""Rerun's library is an extra: without it one sentence says so, and nothing is written."""

import sys
from pathlib import Path

import pytest

from formats.errors import FormatError
from formats.rerun import RERUN


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(FormatError, match="install crosslabel with the extra `rerun`"):
        RERUN.write(tmp_path / "out", [])
    assert not (tmp_path / "out").exists() and not RERUN.recognises(tmp_path)
