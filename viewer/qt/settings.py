"""What the viewer remembers from one time to the next."""

from __future__ import annotations

from PyQt6.QtCore import QSettings

from viewer.opened import MOST, Opened


def settings() -> QSettings:
    """The file of this user; tests say where it is with `QSettings.setDefaultFormat` and `setPath`."""
    return QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, "Crosslabel", "viewer")


def recent() -> list[Opened]:
    """What was open before, the last first."""
    said = settings().value("recent", [])
    lines = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return [Opened.read(str(line)) for line in lines]


def note_opened(opened: Opened) -> None:
    """Remembers what is open."""
    before = [one for one in recent() if one != opened]
    settings().setValue("recent", [str(one) for one in (opened, *before)][:MOST])
