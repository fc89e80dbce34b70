"""The story of a track, and its pictures."""

import numpy as np
import pytest

from autolabel import Config, Given, label
from autolabel.explain import story_of
from autolabel.explain.pictures import GIVEN, own_points, way_from_above
from calib.errors import CrosslabelError
from fusion.labels import LabelSet
from fusion.simulate import SimulationConfig, simulate
from fusion.simulate.visible import visible_only
from tests.in_memory import in_memory


@pytest.fixture(scope="module")
def proposal():
    log, truth = simulate(SimulationConfig(seed=33, seconds=0.8, cameras=0, azimuth_steps=900))
    log = in_memory(log)
    kept = int(log.timestamps_ns[4])
    seen = (
        track.without(t for t in track.annotations if t != kept)
        for track in visible_only(log, truth).tracks.values()
    )
    keys = LabelSet.of(track for track in seen if track.annotations)
    return label(log, Given(keyframes=keys), Config(mend_poses=False))


@pytest.mark.slow
def test_a_story_has_all_boxes_and_the_points_in_them(proposal) -> None:
    for traced in proposal.traced[:8]:
        story = story_of(proposal, traced.track.id)
        assert len(story.annotations) == len(traced.made) + len(traced.track.annotations)
        half = story.sightings.sizes_lwh_m[0] / 2
        inside = (np.abs(story.points_box) <= half).all(axis=1)
        counted = np.bincount(story.point_frames[inside], minlength=len(story.annotations))
        assert (counted <= np.maximum(story.support, 0)).all()
        assert np.isfinite(story.speeds_mps).all()


def test_its_pictures_show_the_given_box_and_the_points(proposal) -> None:
    traced = max(proposal.traced, key=lambda one: len(one.made))
    story = story_of(proposal, traced.track.id)
    above = way_from_above(story)
    assert (above == GIVEN).all(axis=2).any()
    for side in (False, True):
        picture = own_points(story, side)
        assert (picture != picture[0, 0]).any(axis=2).sum() > 50


def test_an_unknown_track_is_one_line(proposal) -> None:
    with pytest.raises(CrosslabelError, match="there is no track 'nobody'; there are"):
        story_of(proposal, "nobody")
