"""Running the command line as a person does."""

import sys

import pytest

from scripts import cli


def run(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """A line such as `crosslabel info drive`, which has to end well."""
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0, line
