"""Pictures of what is found: the box in the middle, its points in it, in the camera that shows it best."""

from dataclasses import replace

import numpy as np
import pytest

from calib.cameras import Pinhole
from calib.rig import Camera, Rig
from fusion.align import points_in_ego
from fusion.boxes import Box3D
from fusion.checks.pictures import CHOSEN, DOT, OTHERS, SIZE_PX, Spot, close_up, in_image
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef
from tests.checks.made_streets import RIGHT, START_NS, STEP_NS, labels_of, log_of
from tests.viewer.odd_logs import AHEAD

WIDE = (640, 360)


@pytest.fixture(scope="module")
def street() -> tuple[DriveLog, LabelSet]:
    """With a camera ahead, one behind, and one that took nothing."""
    log = log_of(RIGHT, 3)
    model = Pinhole(320.0, 320.0, 320.0, 180.0, *WIDE)
    behind = AHEAD.rotation @ np.diag([-1.0, 1.0, -1.0])
    cameras = (
        Camera("ahead", AHEAD, model),
        Camera("behind", replace(AHEAD, rotation=behind), model),
        Camera("dead", AHEAD, model),
    )
    grey = np.full((WIDE[1], WIDE[0], 3), 90, np.uint8)
    images = {
        name: tuple(ImageRef(name, int(t), lambda: grey.copy()) for t in log.timestamps_ns)
        for name in ("ahead", "behind")
    }
    rig = Rig.of(tuple(log.rig.lidars.values()), cameras)
    return replace(log, rig=rig, images=images), labels_of(RIGHT, 3)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((np.abs(picture.astype(int) - colour) < 30).all(axis=2))


@pytest.mark.parametrize("side", [False, True])
def test_a_close_up_shows_the_box_in_the_middle_with_its_points(
    street: tuple[DriveLog, LabelSet], side: bool
) -> None:
    log, labels = street
    frame_ns = START_NS + STEP_NS
    points = points_in_ego(log, log.sweeps["lidar"][1].read())
    box = labels.tracks["parked"].annotations[frame_ns].box
    picture = close_up(points, labels, Spot(frame_ns, box, "parked"), side)
    assert picture.shape[1] == SIZE_PX and picture.dtype == np.uint8
    outline = coloured(picture, CHOSEN)
    top, left = outline.min(axis=0)
    bottom, right = outline.max(axis=0)
    assert abs((left + right) / 2 - SIZE_PX / 2) < 0.1 * SIZE_PX
    assert abs((top + bottom) / 2 - picture.shape[0] / 2) < 3
    dots = coloured(picture, DOT)
    within = (dots >= [top - 2, left - 2]).all(axis=1) & (dots <= [bottom + 2, right + 2]).all(axis=1)
    assert within.sum() > 40
    empty = close_up(np.zeros((0, 3), np.float32), labels, Spot(frame_ns, box, "parked"), side)
    assert len(coloured(empty, DOT)) == 0 and len(coloured(empty, CHOSEN)) > 100


def test_other_boxes_are_drawn_in_another_colour(street: tuple[DriveLog, LabelSet]) -> None:
    _, labels = street
    box = labels.tracks["parked"].annotations[START_NS].box
    beside = labels.with_track(replace(labels.tracks["parked"], id="twin"))
    nobody = np.zeros((0, 3), np.float32)
    assert len(coloured(close_up(nobody, beside, Spot(START_NS, box, "parked")), CHOSEN)) > 100
    far = Spot(START_NS, Box3D.upright((14.0, -2.5, 0.8), (1.0, 1.0, 1.0), 0.0), None)
    assert len(coloured(close_up(nobody, labels, far), OTHERS)) > 50


def test_the_camera_that_shows_it_best_is_chosen(street: tuple[DriveLog, LabelSet]) -> None:
    log, labels = street
    for place, camera in (((12.0, 1.0, 0.8), "ahead"), ((-12.0, 1.0, 0.8), "behind")):
        spot = Spot(START_NS, Box3D.upright(place, (4.0, 2.0, 1.6), 0.4), None)
        shown = in_image(log, labels, spot)
        assert shown is not None and shown[0] == camera
        assert max(shown[1].shape) == SIZE_PX
        assert np.ptp(shown[1].astype(int)) > 50
    beside = Spot(START_NS, Box3D.upright((0.0, 30.0, 0.8), (4.0, 2.0, 1.6), 0.0), None)
    assert in_image(log, labels, beside) is None
    assert in_image(replace(log, images={}), labels, spot) is None
