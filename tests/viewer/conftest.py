"""A short simulated drive on the desk, with and without a window."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig, simulate
from fusion.store import LabelStore
from tests.in_memory import in_memory
from viewer.desk import Desk
from viewer.frames.cache import FrameCache
from viewer.open import desk_of
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Size

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

    from viewer.qt.window import MainWindow

MakeDesk = Callable[[], Desk]


@pytest.fixture(autouse=True)
def alone_on_the_screen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Windows of two workers on one screen would take the keyboard from each other."""
    if "qapp" not in request.fixturenames:
        yield
        return
    import fcntl

    with (tmp_path_factory.getbasetemp().parent / "screen.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def street() -> tuple[DriveLog, LabelSet]:
    """Read beforehand: the caster of the simulation is not made for the threads that read frames."""
    log, truth = simulate(
        SimulationConfig(seed=12, seconds=0.5, cameras=3, image_size_px=(320, 180), azimuth_steps=900)
    )
    log = in_memory(log)
    for ref in (ref for refs in (*log.sweeps.values(), *log.images.values()) for ref in refs):
        ref.read()
    return log, truth


@pytest.fixture(scope="session")
def frames(street: tuple[DriveLog, LabelSet]) -> Iterator[FrameCache]:
    """Frames that are simulated once for all tests."""
    cache = FrameCache(street[0])
    cache.wait(0)
    yield cache
    cache.close()


@pytest.fixture
def make_desk(street: tuple[DriveLog, LabelSet], frames: FrameCache, tmp_path: Path) -> Iterator[MakeDesk]:
    """Opens the same file of labels again and again."""
    log, truth = street
    opened: list[LabelStore] = []

    def make() -> Desk:
        path = tmp_path / "labels.db"
        store = LabelStore.open(path) if path.exists() else LabelStore.create(path, log.name, truth, "me")
        desk = desk_of(log, store, cache=frames)
        for pane in ("main", "top", "side", "rear"):
            desk.panes.resize(pane, Size(400, 300))
        opened.append(store)
        return desk

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()


@pytest.fixture
def drag() -> Callable[..., None]:
    """Presses in a pane, moves in some steps, and lets go."""

    def do(
        desk: Desk,
        pane: str,
        start: tuple[float, float],
        end: tuple[float, float],
        button: Button = Button.LEFT,
        held: Held = Held.NOTHING,
    ) -> None:
        desk.on_pointer(pane, Pointer(Deed.PRESS, start, button, held))
        for share in (0.3, 0.7, 1.0):
            at = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            desk.on_pointer(pane, Pointer(Deed.MOVE, at, Button.NONE, held))
        desk.on_pointer(pane, Pointer(Deed.RELEASE, end, button, held))

    return do


@pytest.fixture(scope="session")
def qapp() -> "QApplication":
    if not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")
    from PyQt6.QtWidgets import QApplication

    from viewer.qt.app import prepare

    prepare()
    return QApplication(["crosslabel"])


@pytest.fixture
def window(qapp: "QApplication", make_desk: MakeDesk, tmp_path: Path) -> Iterator["MainWindow"]:
    from PyQt6.QtCore import QEvent, QSettings
    from PyQt6.QtTest import QTest
    from PyQt6.QtWidgets import QApplication

    from viewer.qt.window import MainWindow

    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))
    desk = make_desk()
    desk.reviewing.checking.on = True  # as if begun: sweeps are searched only where a test asks for it
    made = MainWindow(desk)
    made.resize(1000, 700)
    made.show()
    QTest.qWaitForWindowExposed(made)
    made.activateWindow()
    made.canvas.setFocus()
    QTest.qWait(100)
    yield made
    # What Qt owns has to go in this thread, not whenever and wherever Python collects its garbage.
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del made
    gc.collect()
