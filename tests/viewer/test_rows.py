"""What a timeline says of a track."""

from dataclasses import replace

import pytest

from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from viewer.tracks.rows import KEPT, Row, Rows, frames_of, nearest_frame

BOX = Box3D.upright((12, 3, 0.9), (4.2, 1.8, 1.5), 0.2)


@pytest.fixture
def log(street: tuple[DriveLog, LabelSet]) -> DriveLog:
    return street[0]


def track(log: DriveLog, *there: tuple[int, Source, bool]) -> Track:
    times = log.timestamps_ns.tolist()
    return Track.of(
        "7", "car", [Annotation(times[k], BOX, source, locked=locked) for k, source, locked in there]
    )


def test_a_row_tells_stretches_key_frames_and_what_is_confirmed(log: DriveLog) -> None:
    human, auto = Source.HUMAN, Source.AUTO
    made = track(log, (0, human, False), (1, auto, False), (2, auto, True), (4, auto, True))
    row = Row.of(log, made)
    assert row.runs == (((0, 0), human), ((1, 2), auto), ((4, 4), auto))
    assert [frame for frame, _ in row.keys] == [0, 2, 4]
    assert row.confirmed == ((2, 2), (4, 4))


def test_boxes_between_the_frames_of_the_log_are_left_out(log: DriveLog) -> None:
    made = track(log, (1, Source.HUMAN, False))
    odd = made.with_annotations([Annotation(int(log.timestamps_ns[2]) + 1, BOX)])
    assert frames_of(log, odd).tolist() == [1, -1]
    assert Row.of(log, odd).runs == (((1, 1), Source.HUMAN),)
    assert nearest_frame(log, odd, 4) == 1
    assert nearest_frame(log, Track.of("8", "car", []), 4) is None


def test_rows_are_made_once_and_only_so_many_are_kept(log: DriveLog) -> None:
    rows, one = Rows(log), track(log, (1, Source.HUMAN, False))
    assert rows.of(one) is rows.of(one)
    other = one.with_annotations([Annotation(int(log.timestamps_ns[2]), BOX)])
    assert rows.of(other).runs == (((1, 2), Source.HUMAN),)
    for number in range(KEPT + 20):
        rows.of(replace(one, id=f"n{number}"))
    assert len(rows._kept) == KEPT
