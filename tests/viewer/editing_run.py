"""A person who never stops editing, in processes that are killed: `python -m tests.viewer.editing_run FILE`.

Makes a file of labels, then reads lines of a way (desk or window), a file and a seed, with tabs between. For
each, a child opens the file and edits at random through the desk, or through the window with real key events.
It prints its process id, then after each deed how often the file has changed and what it must hold by now.
"""

import hashlib
import os
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count as count_from
from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig, simulate
from fusion.store import LabelStore
from fusion.store.changes import changes_between
from viewer.actions import ACTIONS, by_id
from viewer.desk import Desk
from viewer.open import desk_of
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Orbit, Size

# What is done, and how often; the rest of the table changes no labels or needs a person to answer.
OFTEN = {
    "box": "ahead left turn_left flip fit ground longer wider higher",
    "object": "next next previous confirm copy paste",
    "frame": "next previous",
    "track": "still size fill",
    "edit": "undo undo redo",
    "class": "1 2",
}
SELDOM = {"object": "remove_box remove", "track": "begin end split"}
SIZE = Size(400, 300)


def street() -> tuple[DriveLog, LabelSet]:
    """A drive of five frames that is kept in memory, so that a child begins at once."""
    log, truth = simulate(
        SimulationConfig(seed=12, seconds=0.5, cameras=1, image_size_px=(160, 90), azimuth_steps=400)
    )
    read = {
        kind: {name: tuple(_kept(ref) for ref in refs) for name, refs in getattr(log, kind).items()}
        for kind in ("sweeps", "images")
    }
    return replace(log, **read), truth


def digest(labels: LabelSet) -> str:
    """The same for the same labels, to the last bit."""
    rows = sorted(repr((c.table.name, c.key, c.after)) for c in changes_between(LabelSet(), labels))
    return hashlib.sha1("\n".join(rows).encode()).hexdigest()


def say(*words: object) -> None:
    """One line, whole or not at all: a kill may fall between the pieces that `print` writes."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def edit(desk: Desk, seed: int, do: Callable[[str], None], deeds: int | None = None) -> None:
    """Does something, and says what must be on the disk by then, again and again."""
    store, dice, changes = desk.session.store, random.Random(seed), 0

    often, seldom = (
        [f"{group}.{name}" for group, names in listed.items() for name in names.split()]
        for listed in (OFTEN, SELDOM)
    )

    def count(touched: frozenset[str]) -> None:
        nonlocal changes
        changes += 1

    store.subscribe(count)
    for _ in count_from(0) if deeds is None else range(deeds):
        lost = desk.session.annotation is None
        if lost and dice.random() < 0.3:
            draw(desk, dice)
        else:
            again = lost and dice.random() < 0.5
            do("object.next" if again else dice.choice(seldom if dice.random() < 0.06 else often))
        if deeds is None:
            say(changes, digest(store.labels))


def draw(desk: Desk, dice: random.Random) -> None:
    """One drag somewhere makes a box."""
    desk.look(MAIN, Orbit((dice.uniform(-20, 20), dice.uniform(-8, 8), 0.0), 20.0, 0.0, np.radians(89.9)))
    start, end = [(dice.uniform(0, 400), dice.uniform(0, 300)) for _ in range(2)]
    held = Held.CTRL | Held.SHIFT if dice.random() < 0.5 else Held.CTRL
    desk.on_pointer(MAIN, Pointer(Deed.PRESS, start, Button.LEFT, held))
    desk.on_pointer(MAIN, Pointer(Deed.MOVE, end, Button.NONE, held))
    desk.on_pointer(MAIN, Pointer(Deed.RELEASE, end, Button.LEFT, held))


def at_the_desk(desk: Desk, seed: int, deeds: int | None = None) -> None:
    """Edits without a window."""
    do = by_id()
    for pane in ("main", "top", "side", "rear"):
        desk.panes.resize(pane, SIZE)

    def run(name: str) -> None:
        with suppress(CrosslabelError):  # what does not fit is said by the window, too
            do[name].run(desk)

    edit(desk, seed, run, deeds)


def in_the_window(desk: Desk, seed: int) -> None:
    """Edits with real key events."""
    from PyQt6.QtCore import QSettings
    from PyQt6.QtTest import QTest
    from PyQt6.QtWidgets import QApplication

    from viewer.qt.app import prepare
    from viewer.qt.window import MainWindow

    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    folder = str(desk.session.store.path.parent / "settings")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
    prepare()
    application = QApplication(["crosslabel"])
    window = MainWindow(desk)
    window.resize(700, 500)
    window.show()
    QTest.qWaitForWindowExposed(window)
    window.canvas.setFocus()
    keys = {action.id: action.keys[0] for action in ACTIONS if action.keys}

    def press(name: str) -> None:
        QTest.keySequence(window.canvas, keys[name])
        application.processEvents()

    edit(desk, seed, press)


def main() -> None:
    """Forks a child for each line; all that takes long has been done by then."""
    log, truth = street()
    warm_up(log, truth)
    LabelStore.create(sys.argv[1], log.name, truth, "me").close()
    ways = {"desk": at_the_desk, "window": in_the_window}
    say("ready", digest(truth))
    for line in sys.stdin:
        way, path, seed = line.split("\t")
        child = os.fork()
        if child == 0:
            desk = desk_of(log, LabelStore.open(Path(path)))
            for frame in range(len(log)):
                desk.cache.wait(frame)
            say("begins", os.getpid())
            ways[way](desk, int(seed))
        os.waitpid(child, 0)
        say("gone")


def warm_up(log: DriveLog, truth: LabelSet) -> None:
    """Loads all that a deed needs, once for all children; no thread is left that a fork would lose."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LabelStore.create(Path(folder) / "a.db", "a", truth) as store,
    ):
        desk = desk_of(log, store)
        desk.cache.wait(0)
        at_the_desk(desk, 0, deeds=150)
        desk.close()


def _kept(ref):
    return replace(ref, load=partial(_same, ref.read()))


def _same(value):
    return value


if __name__ == "__main__":
    main()
