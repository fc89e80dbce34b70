"""A track is solved again from its key frames, and taken over only where nobody confirmed anything."""

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fusion.edits import PutTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.overlap import points_in_box
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.tracks.refit import Refitter, accepted

DO = by_id()


def moving_car(desk: Desk) -> Track:
    """A moving car that is seen well at the first frame, in the truth."""
    for track, annotation in desk.session.present():
        seen = points_in_box(desk.cloud.points, annotation.box).sum()
        if track.category == "car" and track.attributes.get("moving") and 150 < seen < 500:
            return track
    raise AssertionError("the drive has no such car")


def with_one_key(track: Track) -> Track:
    """The first box as a person gave it, the others where they were left."""
    first, *rest = track.annotations.values()
    made = [replace(a, box=first.box, source=Source.INTERPOLATED, locked=False) for a in rest]
    return Track.of(track.id, track.category, [replace(first, source=Source.HUMAN), *made])


def test_one_box_is_carried_through_the_drive(desk: Desk, street: tuple[DriveLog, LabelSet]) -> None:
    log, truth = street
    car = moving_car(desk)
    refitter = Refitter(log)
    solved = refitter.solved(with_one_key(car))
    refitter.close()
    off_m = [
        np.linalg.norm(a.box.center - truth.tracks[car.id].annotations[t].box.center)
        for t, a in solved.annotations.items()
    ]
    assert len(off_m) == len(car.annotations)
    assert max(off_m) < 0.3


def test_a_ghost_is_shown_and_taken_over_with_the_same_key(desk: Desk) -> None:
    car = moving_car(desk)
    desk.session.apply(PutTrack(with_one_key(car)))
    desk.session.select(car.id)
    before, arrived = desk.session.track, threading.Event()
    desk.proposals.later = lambda run: (run(), arrived.set())
    DO["track.refit"].run(desk)
    assert arrived.wait(60)
    assert desk.proposals.ghost is not None
    assert desk.session.track is before
    DO["track.refit"].run(desk)
    assert desk.proposals.ghost is None
    last = max(car.annotations)
    off_m = np.linalg.norm(desk.session.track.annotations[last].box.center - car.annotations[last].box.center)
    assert off_m < 0.3
    assert desk.session.store.history()[-1].title == "Solve the track again"
    DO["edit.undo"].run(desk)
    np.testing.assert_allclose(
        desk.session.track.annotations[last].box.corners(), before.annotations[last].box.corners(), atol=1e-9
    )


def test_what_was_edited_meanwhile_makes_the_ghost_worthless(desk: Desk) -> None:
    car = moving_car(desk)
    desk.session.apply(PutTrack(with_one_key(car)))
    desk.session.select(car.id)
    waiting: list[Callable[[], None]] = []
    arrived = threading.Event()
    desk.proposals.later = lambda run: (waiting.append(run), arrived.set())
    DO["track.refit"].run(desk)
    assert arrived.wait(60)
    DO["box.flip"].run(desk)
    waiting[0]()
    assert desk.proposals.ghost is None


def test_confirmed_boxes_and_key_frames_stay_whatever_was_solved() -> None:
    from fusion.boxes import Box3D

    def at(t: int, x: float, source: Source, locked: bool = False) -> Annotation:
        return Annotation(t, Box3D.upright((x, 0, 0), (4, 2, 1.5), 0.0), source, locked=locked)

    track = Track.of(
        "1",
        "car",
        [at(0, 0, Source.HUMAN), at(1, 1, Source.AUTO), at(2, 2, Source.AUTO, True), at(3, 3, Source.AUTO)],
    )
    ghost = Track.of("1", "car", [at(t, 9 + t, Source.INTERPOLATED) for t in (0, 1, 2, 4)])
    after = accepted(track, ghost).apply(LabelSet.of([track])).tracks["1"]
    assert {t: a.box.center[0] for t, a in after.annotations.items()} == {0: 0, 1: 10, 2: 2, 4: 13}


def test_in_a_long_log_only_the_time_around_the_boxes_is_looked_at(desk: Desk) -> None:
    log = desk.session.log
    long = replace(log, timestamps_ns=log.timestamps_ns[0] + 100_000_000 * np.arange(1000))
    car = moving_car(desk)
    (box,) = list(car.annotations.values())[:1]
    refitter = Refitter(long)
    for frame, wanted in ((0, range(100)), (500, range(400, 600)), (999, range(850, 1000))):
        track = Track.of("1", "car", [replace(box, timestamp_ns=int(long.timestamps_ns[frame]))])
        refitter._scans_around(track)
        assert refitter._scans[0] == wanted
    refitter.close()
