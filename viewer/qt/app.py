"""Opening the window."""

from __future__ import annotations

import sys

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtGui import QColor, QPalette, QSurfaceFormat
from PyQt6.QtWidgets import QApplication

from viewer.actions import ACTIONS, Action
from viewer.desk import Desk
from viewer.qt.window import MainWindow


def prepare() -> None:
    """Settings that have to be made before there is an application."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    QSurfaceFormat.setDefaultFormat(wanted)


def darken(application: QApplication) -> None:
    """Dark colours for everything that is not drawn by us, on every system alike."""
    application.setStyle("Fusion")
    palette = QPalette()
    ink, paper, deep = QColor(214, 218, 226), QColor(34, 38, 46), QColor(24, 27, 33)
    for role, colour in {
        QPalette.ColorRole.Window: paper,
        QPalette.ColorRole.WindowText: ink,
        QPalette.ColorRole.Base: deep,
        QPalette.ColorRole.AlternateBase: paper,
        QPalette.ColorRole.Text: ink,
        QPalette.ColorRole.Button: paper,
        QPalette.ColorRole.ButtonText: ink,
        QPalette.ColorRole.ToolTipBase: deep,
        QPalette.ColorRole.ToolTipText: ink,
        QPalette.ColorRole.Highlight: QColor(52, 104, 168),
        QPalette.ColorRole.HighlightedText: QColor(255, 255, 255),
        QPalette.ColorRole.PlaceholderText: QColor(130, 136, 148),
    }.items():
        palette.setColor(role, colour)
    application.setPalette(palette)


def open_window(desk: Desk, actions: tuple[Action, ...] = ACTIONS) -> int:
    """Shows a desk until its window is closed; gives the exit code."""
    prepare()
    application = QApplication(sys.argv[:1])
    darken(application)
    window = MainWindow(desk, actions)
    window.show()
    code = application.exec()
    desk.close()
    return code
