"""Dark and light: what is around the pictures; the pictures themselves stay dark, as points are seen best."""

from __future__ import annotations

from enum import StrEnum

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication

from viewer.qt.settings import settings

ROLE = QPalette.ColorRole


class Theme(StrEnum):
    """How the window looks."""

    SYSTEM = "as the system"
    DARK = "dark"
    LIGHT = "light"


COLOURS = {
    Theme.DARK: {
        ROLE.Window: "#22262e",
        ROLE.WindowText: "#d6dae2",
        ROLE.Base: "#181b21",
        ROLE.AlternateBase: "#1e2229",
        ROLE.Text: "#d6dae2",
        ROLE.Button: "#2b303a",
        ROLE.ButtonText: "#d6dae2",
        ROLE.ToolTipBase: "#181b21",
        ROLE.ToolTipText: "#d6dae2",
        ROLE.Highlight: "#3468a8",
        ROLE.HighlightedText: "#ffffff",
        ROLE.PlaceholderText: "#828894",
        ROLE.Link: "#7fb4ff",
        ROLE.Mid: "#3a404c",
    },
    Theme.LIGHT: {
        ROLE.Window: "#eef0f3",
        ROLE.WindowText: "#20242c",
        ROLE.Base: "#ffffff",
        ROLE.AlternateBase: "#f5f6f8",
        ROLE.Text: "#20242c",
        ROLE.Button: "#e3e6eb",
        ROLE.ButtonText: "#20242c",
        ROLE.ToolTipBase: "#ffffff",
        ROLE.ToolTipText: "#20242c",
        ROLE.Highlight: "#2f6fbf",
        ROLE.HighlightedText: "#ffffff",
        ROLE.PlaceholderText: "#7a818e",
        ROLE.Link: "#1c5fb0",
        ROLE.Mid: "#c3c8d0",
    },
}


def chosen() -> Theme:
    """What the person has chosen."""
    said = settings().value("theme", Theme.SYSTEM.value)
    return Theme(said) if said in list(Theme) else Theme.SYSTEM


def choose(theme: Theme) -> None:
    """Another one, from now on and the next time."""
    settings().setValue("theme", theme.value)
    put_on()


def put_on() -> None:
    """Gives all windows the colours that are wanted."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setStyle("Fusion")
    palette = QPalette()
    for role, colour in COLOURS[_meant(chosen())].items():
        palette.setColor(role, QColor(colour))
    for role in (ROLE.WindowText, ROLE.Text, ROLE.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, palette.color(ROLE.PlaceholderText))
    application.setPalette(palette)


def follow() -> None:
    """Puts on what is wanted, now and whenever the system changes its mind."""
    put_on()
    hints = QGuiApplication.styleHints()
    if hints is not None:
        hints.colorSchemeChanged.connect(lambda scheme: put_on())


def _meant(theme: Theme) -> Theme:
    """Dark or light; dark where the system does not say."""
    if theme is not Theme.SYSTEM:
        return theme
    hints = QGuiApplication.styleHints()
    light = hints is not None and hints.colorScheme() is Qt.ColorScheme.Light
    return Theme.LIGHT if light else Theme.DARK
