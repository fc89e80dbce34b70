"""The main window: everything in its place, every action under its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PyQt6.QtCore import QByteArray, QSettings, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QDockWidget, QLabel, QMainWindow, QMenu, QWidget

from calib.errors import CrosslabelError
from viewer.actions import ACTIONS, Action
from viewer.desk import Desk
from viewer.merge import Merge
from viewer.qt.cameras import CameraStrip
from viewer.qt.canvas import Canvas
from viewer.qt.objects import ObjectPanel
from viewer.qt.palette import CheatSheet, Palette
from viewer.qt.timeline import Timeline
from viewer.shown import Shown

PLAY_MS = 100


class Panel(Protocol):
    """A widget beside the canvas."""

    def refresh(self) -> None:
        """Shows what has changed."""


class MainWindow(QMainWindow):
    """The window of one desk."""

    arrived = pyqtSignal(int)
    posted = pyqtSignal(object)

    def __init__(self, desk: Desk, actions: tuple[Action, ...] = ACTIONS) -> None:
        """Of a desk."""
        super().__init__()
        self.desk = desk
        self.setWindowTitle(f"{desk.session.log.name} - Crosslabel")
        self.resize(1500, 950)
        shown = Shown(desk)
        self.canvas, self.cameras = Canvas(desk, shown), CameraStrip(desk, shown)
        self.objects, self.timeline = ObjectPanel(desk), Timeline(desk)
        self.setCentralWidget(self.canvas)
        areas = Qt.DockWidgetArea
        self._panels: list[Panel] = []
        self._dock("Cameras", self.cameras, areas.TopDockWidgetArea)
        self._dock("Objects", self.objects, areas.RightDockWidgetArea)
        self._dock("Timeline", self.timeline, areas.BottomDockWidgetArea)
        self._menus: dict[str, QMenu] = {}
        self.actions_by_id = {action.id: self._add(action) for action in actions}
        self.message = QLabel()
        status = self.statusBar()
        assert status is not None
        status.addWidget(self.message, 1)
        self._playing = QTimer(self)
        self._playing.setInterval(PLAY_MS)
        self._playing.timeout.connect(self._play_on)
        self._add_plain("Play", "Frame", "Space", self.play)
        self._add_plain("Find an action", "Help", "Ctrl+Shift+P", self.find_action)
        self.sheet = CheatSheet(actions, self)
        self._remember()
        # Frames arrive in threads of the background; what is drawn is drawn here.
        self.arrived.connect(self._on_arrival)
        desk.cache.arrived = self.arrived.emit
        desk.changed = self.refresh
        self.posted.connect(lambda run: run())
        desk.proposals.later = self.posted.emit
        self.refresh()

    def refresh(self) -> None:
        """Shows what has changed, everywhere."""
        self.canvas.update()
        for panel in self._panels:
            panel.refresh()
        self._say()

    def play(self) -> None:
        """Begins to play, or stops."""
        if self._playing.isActive():
            self._playing.stop()
        else:
            self._playing.start()

    def find_action(self) -> None:
        """Asks what to do."""
        listed = [action for menu in self._menus.values() for action in menu.actions()]
        Palette(listed, self).exec()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """F1 shows all keys as long as it is held."""
        if event is not None and event.key() == Qt.Key.Key_F1:
            self.sheet.appear()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """And hides them again."""
        if event is not None and event.key() == Qt.Key.Key_F1 and not event.isAutoRepeat():
            self.sheet.hide()
        else:
            super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Every edit is on disk already; the desk draws on nobody any more."""
        self._playing.stop()
        settings = QSettings("Crosslabel", "viewer")
        settings.setValue("geometry", self.saveGeometry())
        settings.setValue("docks", self.saveState())
        self.desk.changed, self.desk.cache.arrived = lambda: None, lambda number: None
        super().closeEvent(event)

    def _remember(self) -> None:
        """Puts everything where it was when the window was closed last."""
        settings = QSettings("Crosslabel", "viewer")
        for name, restore in (("geometry", self.restoreGeometry), ("docks", self.restoreState)):
            state = settings.value(name)
            if isinstance(state, QByteArray):
                restore(state)

    def _on_arrival(self, number: int) -> None:
        if number == self.desk.session.frame or self.desk.display.merge is not Merge.NONE:
            self.refresh()

    def _play_on(self) -> None:
        session = self.desk.session
        if session.frame + 1 >= len(session.log):
            self._playing.stop()
        elif self.desk.cache.get(session.frame + 1) is not None:
            session.go_to(session.frame + 1)

    def _say(self) -> None:
        session, frame = self.desk.session, self.desk.frame
        problems = () if frame is None else frame.problems
        undo = session.store.undo_title
        parts = [
            f"frame {session.frame + 1} of {len(session.log)}",
            f"{len(session.present())} boxes",
            f"colours: {self.desk.display.colour_by}",
            *([str(self.desk.display.merge)] if self.desk.display.merge is not Merge.NONE else []),
            *(["solved again: R takes it over, Esc does not"] if self.desk.proposals.ghost else []),
            f"last: {undo}" if undo else "nothing changed yet",
            *problems,
        ]
        self.message.setText("   |   ".join(parts))

    def _dock(self, title: str, panel: Panel, area: Qt.DockWidgetArea) -> None:
        assert isinstance(panel, QWidget)
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        self._panels.append(panel)

    def _add(self, action: Action) -> QAction:
        return self._add_plain(action.title, action.menu, action.keys, lambda: self._run(action))

    def _add_plain(
        self, title: str, menu: str, keys: str | tuple[str, ...], run: Callable[[], None]
    ) -> QAction:
        made = QAction(title, self)
        listed = (keys,) if isinstance(keys, str) else keys
        made.setShortcuts([QKeySequence(key) for key in listed])
        made.triggered.connect(lambda checked=False: run())
        self._menu(menu).addAction(made)
        return made

    def _menu(self, title: str) -> QMenu:
        bar = self.menuBar()
        assert bar is not None
        if title not in self._menus:
            made = bar.addMenu(title)
            assert made is not None
            self._menus[title] = made
        return self._menus[title]

    def _run(self, action: Action) -> None:
        """Does it; what does not go is said, and nothing is lost."""
        try:
            action.run(self.desk)
        except CrosslabelError as error:
            self.message.setText(str(error))
