"""Rectangles in images against pictures whose every pixel says whose it is."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from autolabel.images import image_boxes
from autolabel.images.rectangles import _Clouds
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib import SE3
from fusion.boxes import Box3D, Boxes
from fusion.course import Course
from fusion.edits import PutImageBoxes
from fusion.labels import ImageBox, LabelSet, Source
from fusion.rectangles import Cloud, rectangles_in, shown_at
from fusion.simulate import SimulationConfig
from fusion.simulate.drive import Drive


def labelled(drive: Drive) -> tuple[Drive, LabelSet]:
    log, labels = drive.log(), drive.labels()
    for edit in image_boxes(log, labels, Scans(LocalWorld.of(log))):
        labels = edit.apply(labels)
    return drive, labels


@pytest.fixture(scope="module")
def street() -> tuple[Drive, LabelSet]:
    config = SimulationConfig(seconds=0.4, seed=21, cameras=2, image_size_px=(640, 360), azimuth_steps=900)
    return labelled(Drive(config))


@pytest.fixture(scope="module")
def rolling() -> tuple[Drive, LabelSet]:
    return labelled(
        Drive(SimulationConfig(seconds=0.3, seed=22, cameras=1, image_size_px=(640, 360), readout_ms=30.0))
    )


def pixels(drive: Drive, camera: str, frame: int) -> dict[str, np.ndarray]:
    """Left, top, right, bottom, count of the pixels that show each actor."""
    owner = drive.picture(camera, frame).actor
    found = {}
    for index, actor in enumerate(drive.actors):
        rows, columns = np.nonzero(owner == index)
        if len(rows):
            ltrb = [columns.min(), rows.min(), columns.max(), rows.max()]
            found[actor.id] = np.array([*ltrb, len(rows)], dtype=float)
    return found


def rectangles(labels: LabelSet, camera: str, shot_ns: int) -> dict[str, ImageBox]:
    both = ((track.id, track.image_boxes.get((camera, shot_ns))) for track in labels.tracks.values())
    return {track_id: box for track_id, box in both if box is not None}


@pytest.mark.parametrize("which", ["street", "rolling"])
def test_what_a_picture_shows_lies_in_its_rectangle_and_fills_it(request, which) -> None:
    drive, labels = request.getfixturevalue(which)
    filled, checked = [], 0
    for camera in drive.rig.cameras:
        for frame in range(1, drive.config.frames - 1):
            boxes = rectangles(labels, camera, drive.exposure_ns(camera, frame))
            for actor, (left, top, right, bottom, count) in pixels(drive, camera, frame).items():
                if count < 120 or actor not in labels.tracks:
                    continue
                box = boxes[actor]
                out_px = max(
                    box.left_px - left, box.top_px - top, right - box.right_px, bottom - box.bottom_px
                )
                assert out_px < 2.5, (camera, frame, actor)
                checked += 1
                if box.attributes["visibility"] > 0.99:
                    shown = (right - left) * (bottom - top)
                    filled.append(shown / ((box.right_px - box.left_px) * (box.bottom_px - box.top_px)))
    assert checked >= 8
    assert np.median(filled) > 0.6


def test_visibility_is_the_share_that_is_not_hidden(street) -> None:
    """Against pixels: of those in a rectangle that show the object or something nearer, the object's."""
    drive, labels = street
    rows = []
    for camera in drive.rig.cameras:
        for frame in range(1, drive.config.frames - 1):
            picture, shot_ns = drive.picture(camera, frame), drive.exposure_ns(camera, frame)
            eye = (drive.trajectory.at(shot_ns) @ drive.rig.cameras[camera].ego_from_sensor).translation
            for index, actor in enumerate(drive.actors):
                box = (
                    labels.tracks[actor.id].image_boxes.get((camera, shot_ns))
                    if actor.id in labels.tracks
                    else None
                )
                if box is None or float(box.attributes["truncation"]) > 0.3:
                    continue
                left, top, right, bottom = (
                    round(v) for v in (box.left_px, box.top_px, box.right_px, box.bottom_px)
                )
                cut = slice(top, bottom + 1), slice(left, right + 1)
                away_m = np.linalg.norm(actor.world_from_box(shot_ns).translation - eye)
                own = (picture.actor[cut] == index).sum()
                nearer = (picture.range_m[cut] < away_m - np.linalg.norm(actor.body.size_lwh_m) / 2).sum()
                if own + nearer > 150:
                    rows.append((own / (own + nearer), float(box.attributes["visibility"])))
    share, visibility = np.array(rows).T
    assert len(rows) > 20
    assert spearmanr(share, visibility).statistic > 0.8
    assert np.median(np.abs(share - visibility)) < 0.15


def test_truncation_is_what_the_border_cuts_off(street) -> None:
    _, labels = street
    seen = [box for track in labels.tracks.values() for box in track.image_boxes.values()]
    inner = [
        box
        for box in seen
        if box.left_px > 1 and box.top_px > 1 and box.right_px < 638 and box.bottom_px < 358
    ]
    cut = [box for box in seen if box.left_px <= 0 or box.right_px >= 639]
    assert inner
    assert cut
    assert max(float(box.attributes["truncation"]) for box in inner) < 0.02
    assert np.mean([float(box.attributes["truncation"]) > 0.02 for box in cut]) > 0.8


def test_rectangles_of_people_stay(street) -> None:
    drive, labels = street
    track = next(track for track in labels.tracks.values() if track.image_boxes)
    key = next(iter(track.image_boxes))
    mine = ImageBox(1.0, 2.0, 3.0, 4.0, Source.HUMAN)
    given = PutImageBoxes(track.id, {key: mine}).apply(labels)
    log = drive.log()
    for edit in image_boxes(log, given, Scans(LocalWorld.of(log))):
        given = edit.apply(given)
    assert given.tracks[track.id].image_boxes[key] == mine


def test_a_log_without_cameras_has_none(street) -> None:
    log, labels = (
        Drive(SimulationConfig(seconds=0.2, cameras=0, azimuth_steps=300, rings=16)).log(),
        LabelSet(),
    )
    assert image_boxes(log, labels, Scans(LocalWorld.of(log))) == ()


def test_points_of_a_frame_are_not_given_to_who_is_not_labelled_in_it(street) -> None:
    """Such a track may be known all the same, at the instant of an image soon after it was seen last."""
    drive, labels = street
    log = drive.log()
    clouds = _Clouds(labels, Scans(LocalWorld.of(log)))
    image = log.images["cam_front"][1]
    ego_from_world = log.trajectory.at(image.timestamp_ns).inverse()
    known = [track.id for track, _ in labels.at(int(log.timestamps_ns[1]))]
    cloud, solid = clouds.near(image, ["nobody", *known], ego_from_world)
    assert cloud.numbers is not None
    owners, (nobody, *numbers) = {*np.unique(cloud.owners).tolist()}, cloud.numbers.tolist()
    assert (cloud.owners == -1).mean() > 0.3
    assert nobody not in owners and solid[0] == 1.0
    assert len({*numbers}) == len(known) and {-1} < owners <= {-1, *numbers}


@pytest.mark.parametrize("which", ["street", "rolling"])
def test_what_is_out_of_sight_is_left_out_and_nothing_else(request, which) -> None:
    drive, labels = request.getfixturevalue(which)
    log = drive.log()
    courses = {track.id: Course.of(log, track) for track in labels.tracks.values()}
    images = [
        image for refs in log.images.values() for image in refs if log.trajectory.covers(image.timestamp_ns)
    ]
    cloud = Cloud(np.empty((0, 3), np.float32), np.empty(0, np.int32), SE3.identity())
    left_out = 0
    for shown in shown_at(log, courses, images):
        instant_ns, ego_from_world = shown.image.timestamp_ns, shown.world_from_ego.inverse()
        answers = {track_id: course.at([instant_ns]) for track_id, course in courses.items()}
        there = {track_id: answer for track_id, answer in answers.items() if answer[0][0]}
        boxes = Boxes.concatenate(boxes for _, boxes, _ in there.values()).moved(ego_from_world)
        mps = ego_from_world.rotate(np.concatenate([mps for *_, mps in there.values()]))
        every = rectangles_in(log, shown.image, boxes, mps, cloud, np.ones(len(boxes)))
        some = rectangles_in(
            log, shown.image, shown.boxes, shown.velocities_mps, cloud, np.ones(len(shown.boxes))
        )
        kept = [track_id in shown.track_ids for track_id in there]
        assert shown.track_ids == [track_id for track_id in there if track_id in shown.track_ids]
        assert np.isnan(every.ltrb_px[np.logical_not(kept)]).all()
        np.testing.assert_allclose(some.ltrb_px, every.ltrb_px[kept], rtol=0, atol=1e-6)
        np.testing.assert_array_equal(some.visibility, every.visibility[kept])
        left_out += kept.count(False)
    assert (left_out > 20) == (which == "street")


def test_what_is_behind_the_camera_has_no_rectangle(street) -> None:
    drive, _ = street
    log = drive.log()
    image = log.images["cam_front"][1]
    behind = Boxes.stack([Box3D.upright((-20.0, 3.0, 1.0), (4.5, 1.8, 1.5), 0.3)])
    cloud = Cloud(np.empty((0, 3), np.float32), np.empty(0, np.int32), SE3.identity())
    found = rectangles_in(log, image, behind, np.zeros((1, 3)), cloud, np.ones(1))
    assert np.isnan(found.ltrb_px).all() and found.truncation[0] == 1 and found.visibility[0] == 0
