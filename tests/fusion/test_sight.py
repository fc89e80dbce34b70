"""What the cameras of a drive really see: pictures of a simulated drive know the range of every pixel."""

from dataclasses import replace

import numpy as np
import pytest

from calib.sight.colour import UNSEEN
from formats.pandaset import PANDASET
from fusion.align import cam_at_shot_from_ego, cloud_in_image, points_in_ego, read_deskewed
from fusion.beam import image_of_frame
from fusion.sight import cloud_seen_in_image, colour_cloud
from fusion.simulate import Drive, SimulationConfig

FRAME = 2


@pytest.fixture(scope="module")
def drive():
    return Drive(
        SimulationConfig(seed=101, seconds=0.3, style="straight", cameras=3, image_size_px=(480, 270))
    )


@pytest.fixture(scope="module")
def log(drive):
    return drive.log()


@pytest.fixture(scope="module")
def sweep(log):
    return read_deskewed(log, log.sweep_at(int(log.timestamps_ns[FRAME])))


def hidden_share(drive, log, sweep, image, seen):
    """Share of points whose pixel shows something that is more than a metre and 5 % nearer."""
    cam_from_ego = cam_at_shot_from_ego(log, image, sweep.timestamp_ns)
    points_cam = cam_from_ego @ points_in_ego(log, sweep)[seen.index].astype(np.float64)
    range_m = np.linalg.norm(points_cam, axis=1)
    u, v = np.round(seen.uv_px).astype(int).T
    shown_m = drive.picture(image.camera, FRAME).range_m
    v, u = np.clip(v, 0, shown_m.shape[0] - 1), np.clip(u, 0, shown_m.shape[1] - 1)
    return float((shown_m[v, u] < 0.95 * range_m - 1).mean())


def test_hidden_points_are_left_out(drive, log, sweep):
    for camera in log.rig.cameras:
        image = log.images[camera][FRAME]
        everything, seen = cloud_in_image(log, sweep, image), cloud_seen_in_image(log, sweep, image)
        assert np.isin(seen.index, everything.index).all()
        kept = np.isin(everything.index, seen.index)
        np.testing.assert_array_equal(everything.uv_px[kept], seen.uv_px)
        before = hidden_share(drive, log, sweep, image, everything)
        after = hidden_share(drive, log, sweep, image, seen)
        assert after < 0.5 * before
        assert 0.85 < len(seen.index) / len(everything.index) < 1


def test_colours_are_those_of_the_images(log, sweep):
    images = [log.images[camera][FRAME] for camera in log.rig.cameras]
    colours, camera = colour_cloud(log, sweep, images)
    assert colours.shape == (len(sweep), 3) and colours.dtype == np.uint8
    np.testing.assert_array_equal(colours[camera == -1], np.full(((camera == -1).sum(), 3), UNSEEN))
    for number, image in enumerate(images):
        seen = cloud_seen_in_image(log, sweep, image)
        own = camera[seen.index] == number
        assert own.sum() > 100
        column, row = np.round(seen.uv_px[own]).astype(int).T
        pixels = image.read()[np.clip(row, 0, 269), np.clip(column, 0, 479)]
        off = np.abs(pixels.astype(int) - colours[seen.index[own]])
        assert np.median(off) <= 3


def test_a_log_without_sweeps_measures_the_sweep_at_hand(log, sweep):
    image = log.images["cam_front"][FRAME]
    bare = replace(log, sweeps={})
    alone = cloud_seen_in_image(bare, sweep, image)
    assert len(alone.index) == pytest.approx(len(cloud_seen_in_image(log, sweep, image).index), rel=0.02)


def test_no_images_give_no_colours(log, sweep):
    colours, camera = colour_cloud(log, sweep, [])
    assert (camera == -1).all() and (colours == UNSEEN).all()


def test_pandaset_is_coloured_all_around(shared_data):
    log = PANDASET.open_log(shared_data / "pandaset" / "002", "002")
    frame_ns = int(log.timestamps_ns[10])
    sweep = read_deskewed(log, log.sweep_at(frame_ns))
    images = [image_of_frame(log, camera, frame_ns) for camera in log.rig.cameras]
    colours, camera = colour_cloud(log, sweep, images)
    assert (camera >= 0).mean() > 0.85
    assert (np.bincount(camera[camera >= 0], minlength=6) > 5_000).all()
    assert len(np.unique(colours, axis=0)) > 5_000
