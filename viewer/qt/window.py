"""The main window: everything in its place, every action under its key."""

from __future__ import annotations

from enum import Enum, auto
from functools import partial
from typing import Protocol

from PyQt6.QtCore import QByteArray, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from calib.errors import CrosslabelError
from viewer.actions import ACTIONS, Action
from viewer.desk import Desk
from viewer.frames.merge import Merge
from viewer.notices import notices
from viewer.presets import own_keys_file, write_keys
from viewer.qt import asking, theme
from viewer.qt.cameras import CameraStrip
from viewer.qt.canvas import Canvas
from viewer.qt.keys import KeysDialog
from viewer.qt.menus import Menus
from viewer.qt.notice import Notice
from viewer.qt.objects import ObjectPanel
from viewer.qt.palette import CheatSheet, Palette
from viewer.qt.review import ReviewPanel
from viewer.qt.settings import settings
from viewer.qt.status import Status
from viewer.qt.strip import StripPanel
from viewer.qt.timeline import Timeline
from viewer.qt.watch import Watch
from viewer.scene.shown import Shown
from viewer.tasks import going_on

PLAY_MS = 100


class Panel(Protocol):
    """A widget beside the canvas."""

    def refresh(self) -> None:
        """Shows what has changed."""


class After(Enum):
    """What is wanted when a window has been closed."""

    NOTHING = auto()
    ANOTHER = auto()
    NEXT = auto()
    LATER = auto()


class MainWindow(QMainWindow):
    """The window of one desk."""

    arrived = pyqtSignal(int)
    posted = pyqtSignal(object)
    after = After.NOTHING

    def __init__(self, desk: Desk, actions: tuple[Action, ...] = ACTIONS, queued: str = "") -> None:
        """Of a desk; `queued` says where in a queue of logs it is."""
        super().__init__()
        self.desk, self._queued = desk, bool(queued)
        self.setWindowTitle(f"{queued or desk.session.log.name} - Crosslabel")
        self.resize(1500, 950)
        shown = self._shown = Shown(desk)
        self.canvas, self.cameras = Canvas(desk, shown), CameraStrip(desk, shown)
        self.objects, self.timeline = ObjectPanel(desk), Timeline(desk)
        self.strip = StripPanel(desk)
        self.setCentralWidget(self.canvas)
        areas = Qt.DockWidgetArea
        self._panels: list[Panel] = []
        self.notice = Notice(self.canvas)
        if self.cameras.panels:
            self._dock("Cameras", self.cameras, areas.TopDockWidgetArea)
        self.setTabPosition(areas.RightDockWidgetArea, QTabWidget.TabPosition.North)
        objects = self._dock("Objects", self.objects, areas.RightDockWidgetArea)
        self.review = ReviewPanel(desk)
        review = self._dock("Review", self.review, areas.RightDockWidgetArea)
        self.tabifyDockWidget(objects, review)
        timeline = self._dock("Timeline", self.timeline, areas.BottomDockWidgetArea)
        self.tabifyDockWidget(timeline, self._dock("Strip", self.strip, areas.BottomDockWidgetArea))
        timeline.raise_()
        self._playing = QTimer(self)
        self._playing.setInterval(PLAY_MS)
        self._playing.timeout.connect(self._play_on)
        self.menus = Menus(self, actions, self._run)
        self._add_own()
        self.sheet = CheatSheet(actions, self)
        bar = self.statusBar()
        assert bar is not None
        self.status = Status(bar, desk, going_on)
        self.message = self.status.message
        self.watch = Watch(self, desk.effort)
        self._remember()
        (review if queued else objects).raise_()
        # Frames arrive in threads of the background; what is drawn is drawn here.
        self.arrived.connect(self._on_arrival)
        desk.cache.arrived = self.arrived.emit
        desk.changed = self.refresh
        self.posted.connect(lambda run: run())
        desk.proposals.later = self.posted.emit
        desk.proposals.failed = self.complain
        desk.reviewing.ask = lambda title, offered: asking.ask(self, title, offered)
        self.refresh()

    @property
    def actions_by_id(self) -> dict[str, QAction]:
        """What can be done, by the names that settings refer to."""
        return self.menus.by_id

    def refresh(self) -> None:
        """Shows what has changed, everywhere."""
        if self.desk.frame is not None:
            self.desk.reviewing.checking.begin()
        self.canvas.update()
        for panel in self._panels:
            panel.refresh()
        self.notice.say(notices(self.desk))
        self.status.refresh()

    def play(self) -> None:
        """Begins to play, or stops."""
        if self._playing.isActive():
            self._playing.stop()
        else:
            self._playing.start()

    def find_action(self) -> None:
        """Asks what to do."""
        Palette(self.menus.everything(), self).exec()

    def change_keys(self) -> None:
        """Asks for other keys, and keeps them for the next time."""
        dialog = KeysDialog(self.menus.table, self)
        if dialog.exec():
            self.menus.rebind(dialog.actions_now)
            self.sheet.list(dialog.actions_now)
            write_keys(own_keys_file(), dialog.changed_keys())

    def leave(self, after: After) -> None:
        """Closes the window, for something that is to be done then."""
        self.after = after
        self.close()

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
        self.status.stop()
        kept = settings()
        kept.setValue("geometry", self.saveGeometry())
        kept.setValue("docks", self.saveState())
        self.desk.strip.unseen()
        self.desk.proposals.live.stop()
        self.desk.reviewing.checking.close()
        self.desk.proposals.later, self.desk.pointer_moved = lambda run: None, lambda: None
        self.desk.changed, self.desk.cache.arrived = lambda: None, lambda number: None
        self._shown.close()
        super().closeEvent(event)

    def _remember(self) -> None:
        """Puts everything where it was when the window was closed last."""
        kept = settings()
        for name, restore in (("geometry", self.restoreGeometry), ("docks", self.restoreState)):
            state = kept.value(name)
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

    def _dock(self, title: str, panel: Panel, area: Qt.DockWidgetArea) -> QDockWidget:
        assert isinstance(panel, QWidget)
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        self._panels.append(panel)
        return dock

    def _add_own(self) -> None:
        """What concerns the window itself, and no labels."""
        add = self.menus.add
        if self._queued:
            add("Done, next log", "Log", "Ctrl+Shift+Return", partial(self.leave, After.NEXT))
            add("Later, next log", "Log", "", partial(self.leave, After.LATER))
        add("Another log ...", "Log", "Ctrl+O", partial(self.leave, After.ANOTHER))
        add("Close", "Log", "Ctrl+Q", self.close)
        add("Play", "Frame", "Space", self.play)
        add("Find an action", "Help", "Ctrl+Shift+P", self.find_action)
        add("Change keys ...", "Help", "", self.change_keys)
        themes = QActionGroup(self)
        self.menus.menu("View").addSeparator()
        for one in theme.Theme:
            made = add(f"Colours: {one}", "View", "", partial(theme.choose, one))
            made.setCheckable(True)
            made.setChecked(one is theme.chosen())
            themes.addAction(made)

    def _run(self, action: Action) -> None:
        """Does it; what does not go is said, and nothing is lost."""
        self.status.settle()
        try:
            action.do(self.desk)
        except CrosslabelError as error:
            self.complain(error)
        else:
            self.status.refresh()

    def complain(self, error: BaseException) -> None:
        """Says what did not go."""
        self.status.complain(error)
