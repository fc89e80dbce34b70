"""Boxes and tracks that stand beside their objects are named, whatever the cameras do."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3
from fusion.boxes import Box3D
from fusion.checks.blame import Culprit, judge, views_of
from fusion.labels import LabelSet


def judged(log, labels, evidence):
    return judge(log, labels, evidence, views_of(log, labels, evidence))


def moved(labels: LabelSet, track_id: str, frames: slice, shift_m: tuple[float, float, float]) -> LabelSet:
    """Some boxes of a track, shifted in ego; here all headings are along its axes."""
    track = labels.tracks[track_id]
    wrong = []
    for annotation in list(track.annotations.values())[frames]:
        box = annotation.box
        place = SE3(box.ego_from_box.rotation, box.center + np.array(shift_m))
        wrong.append(replace(annotation, box=Box3D(place, *box.size_lwh_m.tolist())))
    return labels.with_track(track.with_annotations(wrong))


@pytest.fixture(scope="module")
def noisy(scene):
    return scene.noisy(1.0)


@pytest.fixture(scope="module")
def shown(scene, noisy):
    """Which boxes are compared at all: (track id, frame) and its place among the track's frames."""
    views = views_of(scene.log, scene.labels, noisy)
    tracks = list(scene.labels.tracks.values())
    found = {}
    for image, track in zip(views.images.tolist(), views.tracks.tolist(), strict=True):
        frames = [*tracks[track].annotations]
        found[tracks[track].id, noisy[image].timestamp_ns] = frames.index(noisy[image].timestamp_ns)
    return found


def ahead(scene, shown, category: str) -> list[tuple[str, int, int]]:
    """Boxes of a kind that are seen from not too far: track id, frame, place among the track's frames."""
    return [
        (track_id, t, place)
        for (track_id, t), place in shown.items()
        if track_id.startswith(category)
        and 12.0 < scene.labels.tracks[track_id].annotations[t].box.center[0] < 25.0
        and 2 < place < 46
    ]


@pytest.mark.parametrize("shift_m", [0.5, -1.0])
@pytest.mark.parametrize("category", ["car", "pedestrian"])
def test_one_box_is_named_and_no_camera(scene, noisy, shown, category, shift_m) -> None:
    """Ahead of the car what is shifted sideways is seen sideways."""
    near = ahead(scene, shown, category)
    track_id, t, place = near[len(near) // 2]
    labels = moved(scene.labels, track_id, slice(place, place + 1), (0.0, shift_m, 0.0))
    found = judged(scene.log, labels, noisy)
    assert [(box.track_id, box.timestamps_ns) for box in found.boxes] == [(track_id, (t,))]
    box = found.boxes[0]
    yaw_rad = scene.labels.tracks[track_id].annotations[t].box.yaw_rad
    mend_m = SE3.from_yaw(yaw_rad).rotate(box.shift_m)
    assert mend_m[1] == pytest.approx(-shift_m, abs=0.2)
    assert not box.whole
    assert box.sigmas > 4
    assert {blame.culprit for blame in found.cameras.values()} == {Culprit.NONE}


def test_a_whole_track_is_named_as_one(scene, noisy) -> None:
    labels = moved(scene.labels, "car-3", slice(None), (0.6, 0.0, 0.0))
    found = judged(scene.log, labels, noisy)
    assert [(box.track_id, box.whole) for box in found.boxes][:1] == [("car-3", True)]
    assert found.boxes[0].shift_m[0] == pytest.approx(-0.6, abs=0.15)
    assert "whole track" in found.boxes[0].words
    assert "back" in found.boxes[0].words
    assert {blame.culprit for blame in found.cameras.values()} == {Culprit.NONE}


def test_a_wrong_box_is_found_beside_a_turned_camera(scene, noisy, shown) -> None:
    turned = scene.turned("cam_front", (0.0, 0.5, 0.0))
    track_id, t, place = ahead(scene, shown, "car")[0]
    labels = moved(scene.labels, track_id, slice(place, place + 1), (0.0, 1.0, 0.0))
    found = judged(turned, labels, noisy)
    assert found.cameras["cam_front"].culprit is Culprit.CALIBRATION
    assert (track_id, (t,)) in [(box.track_id, box.timestamps_ns) for box in found.boxes]


def test_a_wrong_rectangle_is_no_wrong_box(scene, noisy) -> None:
    """The boxes before and after say that the box between them is in its place."""
    wrong = list(noisy)
    for number in range(5, len(wrong), 12):
        ltrb_px = np.array(wrong[number].ltrb_px)
        ltrb_px[:1, [0, 2]] += 0.2 * (ltrb_px[:1, 2:3] - ltrb_px[:1, 0:1])
        wrong[number] = replace(wrong[number], ltrb_px=ltrb_px)
    assert judged(scene.log, scene.labels, wrong).boxes == ()
