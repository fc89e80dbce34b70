"""Menus made of the table of actions, and the keys that stand for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu

from viewer.actions import Action

# In this order; others come after them.
ORDER = ("Log", "Frame", "Edit", "View", "Object", "Track", "Box", "Class", "Review", "Help")


class Menus:
    """The menus of a window."""

    def __init__(
        self, window: QMainWindow, actions: tuple[Action, ...], run: Callable[[Action], None]
    ) -> None:
        """Of a table of actions, which are run by `run`."""
        self.window, self.table = window, actions
        self._menus: dict[str, QMenu] = {}
        for title in ORDER:
            if title in ("Log", "Help") or any(action.menu == title for action in actions):
                self.menu(title)
        self.by_id = {
            action.id: self.add(action.title, action.menu, action.keys, partial(run, action))
            for action in actions
        }

    def add(self, title: str, menu: str, keys: str | tuple[str, ...], run: Callable[[], object]) -> QAction:
        """One more thing to do, which is no action of the table."""
        made = QAction(title, self.window)
        listed = (keys,) if isinstance(keys, str) else keys
        made.setShortcuts([QKeySequence(key) for key in listed if key])
        made.triggered.connect(lambda checked=False: run())
        self.menu(menu).addAction(made)
        return made

    def rebind(self, actions: tuple[Action, ...]) -> None:
        """The same actions under other keys."""
        self.table = actions
        for action in actions:
            self.by_id[action.id].setShortcuts([QKeySequence(key) for key in action.keys])

    def everything(self) -> list[QAction]:
        """All that can be done, as the menus list it."""
        return [action for menu in self._menus.values() for action in menu.actions() if action.text()]

    def menu(self, title: str) -> QMenu:
        """A menu of the window."""
        bar = self.window.menuBar()
        assert bar is not None
        if title not in self._menus:
            made = bar.addMenu(title)
            assert made is not None
            self._menus[title] = made
        return self._menus[title]
