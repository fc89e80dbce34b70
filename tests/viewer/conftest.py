"""A short simulated drive on the desk, with and without a window."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig, simulate
from fusion.store import LabelStore
from viewer.cache import FrameCache
from viewer.desk import Desk
from viewer.open import desk_of
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.views import Size

MakeDesk = Callable[[], Desk]


@pytest.fixture(scope="session")
def street() -> tuple[DriveLog, LabelSet]:
    return simulate(
        SimulationConfig(seed=12, seconds=0.5, cameras=3, image_size_px=(320, 180), azimuth_steps=900)
    )


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
