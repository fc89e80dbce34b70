"""What is drawn: colours that say something, clouds that get sharp, nothing made twice."""

import numpy as np
import pytest

from fusion.overlap import points_in_box
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.display import Ground
from viewer.frames.cache import FrameCache
from viewer.frames.frame import Frame
from viewer.frames.merge import Merge
from viewer.scene.colours import ColourBy
from viewer.scene.shown import Shown

DO = by_id()


@pytest.mark.parametrize("by", ColourBy)
def test_every_colour_tells_points_apart(desk: Desk, by: ColourBy) -> None:
    desk.show(colour_by=by)
    colours = Shown(desk).colours()
    assert colours.shape == (len(desk.cloud.points), 4)
    assert colours.dtype == np.uint8
    assert (colours[:, 3] == 255).all()
    assert len(np.unique(colours, axis=0)) > 1


def test_what_has_not_changed_is_not_made_again(desk: Desk) -> None:
    shown = Shown(desk)
    before = shown.points()
    desk.session.next_track()
    assert shown.points()[1] is before[1]
    desk.show(colour_by=ColourBy.DISTANCE)
    assert shown.points()[1] is not before[1]


def test_points_in_no_box_stand_out(desk: Desk) -> None:
    desk.show(colour_by=ColourBy.UNLABELLED)
    colours, cloud = Shown(desk).colours(), desk.cloud
    inside = np.zeros(len(cloud.points), dtype=np.bool_)
    for _, annotation in desk.session.present():
        inside |= points_in_box(cloud.points, annotation.box)
    alone = ~inside & ~cloud.on_ground
    assert len(np.unique(colours[alone], axis=0)) == 1
    assert not (colours[inside] == colours[alone][0]).all(axis=1).any()


def test_hidden_ground_is_not_drawn(desk: Desk) -> None:
    desk.show(ground=Ground.HIDDEN)
    points, colours = Shown(desk).points()
    assert len(points) == len(colours) == (~desk.cloud.on_ground).sum()


def test_a_frame_that_arrives_in_the_middle_of_it_does_no_harm(desk: Desk) -> None:
    late, frame = [], desk.frame

    class Arriving(FrameCache):
        def get(self, number: int) -> Frame | None:
            late.append(number)
            return frame if len(late) > 1 else None

    desk._held, desk.cache = None, Arriving(desk.session.log)
    desk.show(ground=Ground.HIDDEN)
    late.clear()
    shown = Shown(desk)
    points, colours = shown.points()
    assert len(points) == len(colours) == 0
    points, colours = shown.points()
    assert len(points) == len(colours) > 0
    desk.cache.close()


def test_on_the_object_the_points_of_all_frames_lie_in_one_box(desk: Desk) -> None:
    for number in range(len(desk.session.log)):
        desk.cache.wait(number)
    moving = next(
        track
        for track, annotation in desk.session.present()
        if track.attributes.get("moving") and points_in_box(desk.cloud.points, annotation.box).sum() > 100
    )
    desk.session.select(moving.id)
    shown, box = Shown(desk), desk.session.annotation.box
    alone = points_in_box(shown.points()[0], box).sum()
    desk.show(merge=Merge.OBJECT)
    together = points_in_box(shown.points()[0], box).sum()
    assert together > 3 * alone


def test_in_the_world_what_stands_gets_denser(desk: Desk) -> None:
    for number in range(len(desk.session.log)):
        desk.cache.wait(number)
    shown = Shown(desk)
    count = len(shown.points()[0])
    DO["view.merge"].run(desk)
    assert desk.display.merge is Merge.WORLD
    assert len(shown.points()[0]) > 2 * count
    DO["view.merge"].run(desk)
    DO["view.merge"].run(desk)
    assert len(shown.points()[0]) == count


def test_of_merged_frames_no_more_is_drawn_than_of_one_large_sweep(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(len(desk.session.log)):
        desk.cache.wait(number)
    desk.show(merge=Merge.WORLD)
    own, everything = len(desk.cloud.points), len(Shown(desk).points()[0])
    most = own + (everything - own) // 3
    monkeypatch.setattr("viewer.scene.shown.MOST_POINTS", most)
    points, colours = Shown(desk).points()
    assert own < len(points) <= most
    assert len(points) == len(colours)
    np.testing.assert_array_equal(points[:own], desk.cloud.points)
