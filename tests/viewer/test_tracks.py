"""Edits of whole tracks: everything follows but what was confirmed."""

from dataclasses import replace

import numpy as np
import pytest

from calib.types import F64
from fusion.boxes import Box3D
from fusion.errors import EditError
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from viewer.tracks.edits import cut_off, filled, pasted, sized_like, standing, with_size, without_key
from viewer.tracks.keyframes import between_keyframes, box_between


@pytest.fixture
def log(street: tuple[DriveLog, LabelSet]) -> DriveLog:
    return street[0]


@pytest.fixture
def track(log: DriveLog) -> Track:
    """Boxes that wander a little, the last of them confirmed."""
    made = []
    for number, t in enumerate(log.timestamps_ns.tolist()):
        box = Box3D.upright((12 + 0.3 * number, 3, 0.9), (4.2 + 0.1 * number, 1.8, 1.5), 0.2)
        made.append(Annotation(t, box, Source.INTERPOLATED, locked=number == len(log) - 1))
    return Track.of("7", "car", made)


def in_world(log: DriveLog, annotation: Annotation) -> F64:
    return log.trajectory.at(annotation.timestamp_ns) @ annotation.box.corners()


def after(edit, track: Track) -> Track:
    return edit.apply(LabelSet.of([track])).tracks[track.id]


def test_one_size_for_all_but_the_confirmed_one(log: DriveLog, track: Track) -> None:
    first, last = int(log.timestamps_ns[0]), int(log.timestamps_ns[-1])
    changed = after(sized_like(track, first), track)
    for t, annotation in changed.annotations.items():
        expected = track.annotations[t if t == last else first].box.size_lwh_m
        np.testing.assert_allclose(annotation.box.size_lwh_m, expected)
    assert sized_like(changed.without([last]), first) is None


@pytest.mark.parametrize("place", [(12, 3), (12, -3), (-12, 3), (-12, -3)])
def test_the_corner_that_faces_the_car_stays(place: tuple[float, float]) -> None:
    box = Box3D.upright((*place, 0.9), (4.2, 1.8, 1.5), 0.3)
    larger = with_size(box, (5.0, 2.1, 1.9))
    near = min(range(8), key=lambda k: np.linalg.norm(box.corners()[k] - [0, 0, -5]))
    np.testing.assert_allclose(larger.corners()[near], box.corners()[near], atol=1e-12)


def test_what_stands_still_stays_where_it_is_in_the_world(log: DriveLog, track: Track) -> None:
    given = int(log.timestamps_ns[1])
    thin = track.without([int(log.timestamps_ns[2])])
    changed = after(standing(log, thin, given), thin)
    assert len(changed.annotations) == len(log)
    for t, annotation in changed.annotations.items():
        if annotation.locked:
            assert annotation == track.annotations[t]
        else:
            np.testing.assert_allclose(
                in_world(log, annotation), in_world(log, track.annotations[given]), atol=1e-9
            )


def test_boxes_between_key_frames_lie_on_a_line_and_follow_an_edit(log: DriveLog, track: Track) -> None:
    first, middle, last = (int(log.timestamps_ns[k]) for k in (0, 2, -1))
    keys = Track.of("7", "car", [replace(track.annotations[t], source=Source.HUMAN) for t in (first, last)])
    full = after(filled(log, keys), keys)
    assert len(full.annotations) == len(log)
    ends = [in_world(log, keys.annotations[t]).mean(axis=0) for t in (first, last)]
    share = (middle - first) / (last - first)
    found = in_world(log, full.annotations[middle]).mean(axis=0)
    np.testing.assert_allclose(found, (1 - share) * ends[0] + share * ends[1], atol=1e-9)

    shifted = replace(keys.annotations[first], box=Box3D.upright((11, 2, 0.9), (4.2, 1.8, 1.5), 0.1))
    edited = full.with_annotations([shifted])
    follow = {a.timestamp_ns: a for a in between_keyframes(log, edited, first)}
    assert set(follow) == set(log.timestamps_ns[1:-1].tolist())
    expected = box_between(log, edited, first, last, middle)
    np.testing.assert_allclose(follow[middle].box.corners(), expected.corners())


def test_a_track_begins_and_ends_where_one_says(log: DriveLog, track: Track) -> None:
    middle, last = int(log.timestamps_ns[2]), int(log.timestamps_ns[-1])
    assert min(after(cut_off(track, middle, before=True), track).annotations) == middle
    assert list(after(cut_off(track, middle, before=False), track).annotations)[-2:] == [middle, last]
    assert cut_off(track, int(log.timestamps_ns[0]), before=True) is None


def test_a_pasted_box_stands_where_it_stood(log: DriveLog, track: Track) -> None:
    first, second = (int(log.timestamps_ns[k]) for k in (0, 1))
    changed = after(pasted(log, track, first, second), track)
    np.testing.assert_allclose(
        in_world(log, changed.annotations[second]), in_world(log, track.annotations[first]), atol=1e-9
    )
    assert pasted(log, track, first, first) is None


def test_a_key_frame_is_removed_and_its_neighbours_say_where_it_is(log: DriveLog, track: Track) -> None:
    times = log.timestamps_ns.tolist()
    keys = {t: replace(a, source=Source.HUMAN) for t, a in track.annotations.items() if t in times[::2]}
    keyed = track.with_annotations(keys.values())
    changed = after(without_key(log, keyed, times[2]), keyed)
    for t in times[1:4]:
        assert changed.annotations[t].source is Source.INTERPOLATED
        wanted = box_between(log, keyed, times[0], times[4], t)
        np.testing.assert_allclose(changed.annotations[t].box.corners(), wanted.corners(), atol=1e-9)
    assert changed.annotations[times[0]] is keyed.annotations[times[0]]
    assert without_key(log, changed, times[2]) is None
    for end in (times[0], times[-1]):
        with pytest.raises(EditError, match="first and the last"):
            without_key(log, keyed, end)


def test_what_was_said_of_a_box_stays_when_it_is_filled_again(log: DriveLog, track: Track) -> None:
    times = log.timestamps_ns.tolist()
    said = replace(track.annotations[times[1]], attributes={"doors": "open"})
    first = replace(track.annotations[times[0]], source=Source.HUMAN)
    changed = after(filled(log, track.with_annotations([said, first])), track.with_annotations([said, first]))
    assert changed.annotations[times[1]].attributes == {"doors": "open"}
