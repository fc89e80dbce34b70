"""2D boxes of the whole log, made in the background."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fusion.labels import ImageBox, Source
from fusion.sweep import Sweep
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.images.box_maker import BoxMaker
from viewer.images.image_boxes import correction
from viewer.tasks import going_on

DO = by_id()


@pytest.fixture
def waiting(desk: Desk) -> Iterator[tuple[Desk, threading.Event, list[Callable[[], None]]]]:
    """A desk whose window has not got round to what the background wants of it."""
    arrived, runs = threading.Event(), list[Callable[[], None]]()
    desk.proposals.later = lambda run: (runs.append(run), arrived.set())
    yield desk, arrived, runs
    desk.box_maker.close()


def test_all_images_get_boxes_in_one_step(
    waiting: tuple[Desk, threading.Event, list[Callable[[], None]]],
) -> None:
    desk, arrived, runs = waiting
    session, (ref, _) = desk.session, next(iter(desk.frame.images.values()))
    first, second, *_ = [t.id for t, _ in session.present()]
    mine = ImageBox(10, 10, 20, 20)
    session.apply(correction(session.labels.tracks[first], ref, mine))
    DO["rectangle.make_all"].run(desk)
    assert any("2D boxes" in words for words in going_on(desk))
    assert arrived.wait(60)
    # One object moves on while they are made: its 2D boxes would be those of yesterday.
    session.select(second)
    DO["box.left"].run(desk)
    for run in runs:
        run()
    tracks = session.store.labels.tracks
    assert tracks[first].image_boxes[(ref.camera, ref.timestamp_ns)] == mine
    assert not tracks[second].image_boxes
    made = [box for track in tracks.values() for box in track.image_boxes.values() if box is not mine]
    assert sum(box.source is Source.AUTO for box in made) > 100
    assert len({key[1] for track in tracks.values() for key in track.image_boxes}) > 5
    assert session.store.history()[-1].title == "Make the 2D boxes of the whole log"
    DO["edit.undo"].run(desk)
    assert sum(len(track.image_boxes) for track in session.store.labels.tracks.values()) == 1


def test_closing_stores_nothing(waiting: tuple[Desk, threading.Event, list[Callable[[], None]]]) -> None:
    desk, _, runs = waiting
    DO["rectangle.make_all"].run(desk)
    desk.box_maker.close()
    for run in runs:
        run()
    assert desk.session.store.history() == []
    assert not desk.box_maker.busy


def test_a_sweep_that_cannot_be_read_hinders_nothing(desk: Desk) -> None:
    def broken() -> Sweep:
        raise ValueError("17 bytes are no sweep")

    log = desk.session.log
    sweeps = {name: tuple(replace(ref, load=broken) for ref in refs) for name, refs in log.sweeps.items()}
    session = replace(desk.session, log=replace(log, sweeps=sweeps))
    wrong: list[BaseException] = []
    runs: list[Callable[[], None]] = []
    maker = BoxMaker(session, runs.append, wrong.append)
    maker.begin()
    maker._running.result(60)
    for run in runs:
        run()
    maker.close()
    assert wrong == []
    assert sum(len(track.image_boxes) for track in session.store.labels.tracks.values()) > 100
