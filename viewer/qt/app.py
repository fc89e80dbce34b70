"""Opening the window."""

from __future__ import annotations

import sys
import traceback
from functools import partial
from types import TracebackType

from PyQt6.QtCore import QCoreApplication, QEvent, Qt
from PyQt6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PyQt6.QtWidgets import QApplication

from calib.errors import CrosslabelError
from viewer.actions import ACTIONS, Action
from viewer.desk import Desk
from viewer.opened import Opened, listed
from viewer.qt import theme, welcome
from viewer.qt.settings import recent
from viewer.qt.window import After, MainWindow

NEEDED = (3, 3)
_KEPT: list[QApplication] = []
SCREENLESS = ("offscreen", "minimal", "vnc", "linuxfb")


def prepare() -> None:
    """Settings that have to be made before there is an application."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    wanted = QSurfaceFormat()
    wanted.setVersion(*NEEDED)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    QSurfaceFormat.setDefaultFormat(wanted)


def graphics_problem() -> str | None:
    """Why nothing can be drawn here, in one line; None where OpenGL is new enough."""
    if QGuiApplication.platformName() in SCREENLESS:
        return f"the viewer needs OpenGL, and Qt's platform {QGuiApplication.platformName()!r} has no windows"
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    if not context.create() or not surface.isValid() or not context.makeCurrent(surface):
        found = "none"
    else:
        version = context.format().version()
        context.doneCurrent()
        if version >= NEEDED:
            return None
        found = ".".join(map(str, version))
    return (
        f"the viewer needs OpenGL {NEEDED[0]}.{NEEDED[1]}, and here is {found}: "
        "a driver is missing (a software one is enough: libgl1-mesa-dri on Debian and Ubuntu)"
    )


def application() -> QApplication:
    """The one that there is, dressed and able to draw.

    Raises:
        CrosslabelError: nothing can be drawn here.
    """
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    prepare()
    made = QApplication(sys.argv[:1])
    _KEPT.append(made)  # Qt does not hold on to it
    made.setApplicationName("Crosslabel")
    problem = graphics_problem()
    if problem is not None:
        raise CrosslabelError(problem)
    theme.follow()
    return made


def open_window(desk: Desk, actions: tuple[Action, ...] = ACTIONS, queued: str = "") -> After:
    """Shows a desk until its window is closed; returns what is wanted then.

    Args:
        desk: a log and its labels; it is closed too.
        actions: what can be done, under its keys.
        queued: where in a queue of logs this one is, in words; empty where there is no queue.

    Raises:
        CrosslabelError: nothing can be drawn here.
    """
    try:
        running = application()
        window = MainWindow(desk, actions, queued)
        before, sys.excepthook = sys.excepthook, partial(_survive, window)
        window.show()
        running.exec()
        sys.excepthook = before
        after = window.after
    finally:
        desk.close()
    _end(window)
    return after


def _end(window: MainWindow) -> None:
    """Takes a window apart now: later it would take the context of OpenGL away from another one."""
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def ask_what_to_open(problem: str = "") -> Opened | None:
    """The first page: what to open; None where it was closed.

    Args:
        problem: why the last choice could not be opened.
    """
    application()
    return welcome.ask(listed(recent()), problem)


def _survive(
    window: MainWindow, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Says what did not go, and goes on: every edit is on disk, and Qt would end the process otherwise."""
    if not isinstance(error, CrosslabelError):
        traceback.print_exception(kind, error, trace)
    window.complain(error)
