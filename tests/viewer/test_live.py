"""Tracks that are solved again by themselves after an edit."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from fusion.boxes import Box3D
from fusion.edits import PutTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.overlap import points_in_box
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.scene.shown import Shown
from viewer.tracks.live import Live, differs, differs_anywhere
from viewer.tracks.refit import accepted

DO = by_id()


def at(t: int, x: float, source: Source = Source.AUTO, locked: bool = False, **said: str) -> Annotation:
    box = Box3D.upright((x, 0, 0), (4, 2, 1.5), 0.0)
    return Annotation(t, box, source, locked=locked, attributes=said)


def track(*there: Annotation) -> Track:
    return Track.of("1", "car", there)


@pytest.fixture
def rings() -> Iterator[tuple[Live, list[Track]]]:
    found: list[Track] = []
    live = Live(found.append, lambda run: run(), quiet_s=0.05)
    yield live, found
    live.stop()


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_only_a_change_of_key_frames_is_a_reason_and_only_after_some_quiet(
    rings: tuple[Live, list[Track]],
) -> None:
    live, found = rings
    first = track(at(0, 0, Source.HUMAN), at(1, 1), at(2, 2))
    live.noticed(first)
    live.noticed(first.with_annotations([at(1, 5)]))
    edits = [first.with_annotations([at(0, 0.1 * k, Source.HUMAN)]) for k in range(1, 4)]
    for edit in edits:
        live.noticed(edit)
    assert found == []
    wait_for(lambda: bool(found))
    time.sleep(0.1)
    assert found == [edits[-1]]


def test_what_is_said_of_a_key_frame_is_no_reason(rings: tuple[Live, list[Track]]) -> None:
    live, found = rings
    key = at(0, 0, Source.HUMAN)
    live.noticed(track(key, at(1, 1)))
    live.noticed(track(replace(key, attributes={"doors": "open"}), at(1, 1)))
    time.sleep(0.15)
    assert found == []


@pytest.mark.parametrize("why", ["no automatic box", "switched off", "another selected", "let go"])
def test_nothing_is_solved_that_nobody_wants(rings: tuple[Live, list[Track]], why: str) -> None:
    live, found = rings
    rest = [at(1, 1, locked=True)] if why == "no automatic box" else [at(1, 1)]
    live.on = why != "switched off"
    live.noticed(track(at(0, 0, Source.HUMAN), *rest))
    live.noticed(track(at(0, 0.5, Source.HUMAN), *rest))
    if why == "another selected":
        live.noticed(replace(track(at(0, 0.5, Source.HUMAN), at(1, 1)), id="2"))
    elif why == "let go":
        live.noticed(None)
    time.sleep(0.15)
    assert found == []


def test_small_differences_are_not_worth_a_ghost() -> None:
    now = track(at(0, 0, Source.HUMAN), at(1, 1), at(2, 2))
    near = track(at(0, 0.5, Source.HUMAN), at(1, 1.05), at(2, 2.0))
    assert not differs_anywhere(now, near)
    far = track(at(0, 0), at(1, 1.3), at(2, 2.0))
    assert [differs(now, far, t) for t in (0, 1, 2)] == [False, True, False]
    assert differs_anywhere(now, track(at(0, 0), at(1, 1)))


def test_what_people_said_of_a_box_stays_when_its_place_is_taken_over() -> None:
    now = track(at(0, 0, Source.HUMAN), at(1, 1, doors="open", look="far off", confidence="x"))
    after = accepted(now, track(at(0, 0), at(1, 1.5, confidence="y")))
    changed = after.apply(LabelSet.of([now])).tracks["1"].annotations[1]
    assert changed.attributes == {"doors": "open", "confidence": "y"}


@pytest.fixture
def wrong(desk: Desk) -> Desk:
    """A moving car whose first box is right, and whose automatic ones were left where it was."""
    for there, annotation in desk.session.present():
        seen = points_in_box(desk.cloud.points, annotation.box).sum()
        if there.category == "car" and there.attributes.get("moving") and 150 < seen < 500:
            break
    first, *rest = there.annotations.values()
    left = [replace(a, box=first.box, source=Source.INTERPOLATED, locked=False) for a in rest[:-1]]
    seen_last = replace(rest[-1], source=Source.AUTO, locked=False)
    desk.session.apply(
        PutTrack(Track.of(there.id, "car", [replace(first, source=Source.HUMAN), *left, seen_last]))
    )
    desk.session.select(there.id)
    desk.proposals.live.quiet_s = 0.1
    return desk


def test_an_edit_brings_a_ghost_where_it_matters_and_r_takes_it_over(wrong: Desk) -> None:
    session, arrived = wrong.session, threading.Event()
    wrong.changed = lambda: arrived.set() if wrong.proposals.ghost is not None else None
    DO["box.left"].run(wrong)
    edited = session.annotation
    assert arrived.wait(60)
    assert not wrong.proposals.asked
    assert wrong.proposals.at(session.time_ns) is None
    assert [look.ghost for look in Shown(wrong).looks()].count(True) == 0
    wrong.session.go_to(1)
    assert wrong.proposals.at(session.time_ns) is not None
    assert [look.ghost for look in Shown(wrong).looks()].count(True) == 1
    before = session.annotation.box
    DO["track.refit"].run(wrong)
    assert np.linalg.norm(session.annotation.box.center - before.center) > 0.15
    assert session.track.annotations[edited.timestamp_ns].box is edited.box
    assert session.store.history()[-1].title == "Solve the track again"
    # What was just solved is no reason to solve it again.
    time.sleep(0.3)
    assert wrong.proposals.ghost is None
    assert wrong.proposals.live._timer is None


def test_switched_off_nothing_happens_until_one_asks(wrong: Desk) -> None:
    DO["track.live"].run(wrong)
    DO["box.left"].run(wrong)
    time.sleep(0.3)
    assert wrong.proposals.ghost is None
    arrived = threading.Event()
    wrong.changed = lambda: arrived.set() if wrong.proposals.ghost is not None else None
    DO["track.refit"].run(wrong)
    assert arrived.wait(60)
    assert wrong.proposals.asked
    assert wrong.proposals.at(wrong.session.time_ns) is not None
