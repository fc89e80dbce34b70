"""A camera's clock, told from the pictures: what was put in comes out, within what it says of itself."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, CalibrationError, Rig
from fusion import DriveLog, Trajectory
from fusion.clock import estimate_offset
from fusion.simulate import Drive, SimulationConfig

CAMERA = "cam_front_left"


def kept(ref):
    """A reference that reads once and remembers."""
    read = []

    def load():
        if not read:
            read.append(ref.load())
        return read[0]

    return replace(ref, load=load)


@pytest.fixture(scope="module")
def drive() -> DriveLog:
    config = replace(
        SimulationConfig.demo(),
        seed=121,
        seconds=1.6,
        azimuth_steps=900,
        vehicles=6,
        pedestrians=8,
        cyclists=2,
        cameras=2,
        image_size_px=(640, 360),
    )
    log = Drive(config).log()
    sweeps = {name: tuple(map(kept, refs)) for name, refs in log.sweeps.items()}
    return replace(log, sweeps=sweeps, images={CAMERA: tuple(map(kept, log.images[CAMERA]))})


def late_by(log: DriveLog, late_ms: float) -> DriveLog:
    """The same log from a camera whose clock is wrong."""
    refs = (replace(r, timestamp_ns=r.timestamp_ns + round(1e6 * late_ms)) for r in log.images[CAMERA])
    return replace(log, images={CAMERA: tuple(refs)})


def turned(log: DriveLog, yaw_deg: float) -> DriveLog:
    """The same log with a camera that is mounted a little differently from what it says."""
    camera = log.rig.cameras[CAMERA]
    given_cam_from_cam = SE3.from_rotation_vector((0.0, np.radians(yaw_deg), 0.0))
    ego_from_given_cam = camera.ego_from_sensor
    wrong = replace(camera, ego_from_sensor=ego_from_given_cam @ given_cam_from_cam)
    return replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), (wrong,)))


@pytest.mark.parametrize(("late_ms", "yaw_deg"), [(0.0, 0.0), (43.0, 0.0), (-35.0, 0.3)])
def test_a_wrong_clock_is_found_whatever_the_mount(drive, late_ms, yaw_deg):
    found = estimate_offset(turned(late_by(drive, late_ms), yaw_deg), CAMERA, count=8)
    assert found.verdict == ("off" if late_ms else "agrees"), found
    assert abs(found.offset_ms + late_ms) < 3 * found.sigma_ms
    assert found.sigma_ms < 8
    if yaw_deg:
        assert abs(abs(found.turn_deg[1]) - yaw_deg) < 0.15


def test_the_same_log_gives_the_same_answer(drive):
    assert estimate_offset(drive, CAMERA, count=5) == estimate_offset(drive, CAMERA, count=5)


def test_of_a_car_that_stands_still_nothing_can_be_said(drive):
    ends_ns, poses = drive.trajectory.timestamps_ns[[0, -1]], drive.trajectory.world_from_ego
    still = Trajectory(ends_ns, poses.take(np.array([0, 0])))
    found = estimate_offset(replace(drive, trajectory=still), CAMERA, count=5)
    assert found.verdict == "cannot say" and "hardly moves" in found.reason
    assert found.sigma_ms == np.inf


def test_of_a_log_too_short_nothing_can_be_said(drive):
    short = replace(drive, timestamps_ns=drive.timestamps_ns[:3])
    found = estimate_offset(short, CAMERA)
    assert found.verdict == "cannot say" and "frames" in found.reason


def test_a_camera_that_there_is_not_is_an_error(drive):
    with pytest.raises(CalibrationError, match="cam_nowhere"):
        estimate_offset(drive, "cam_nowhere")


def test_a_camera_further_ahead_than_it_says_looks_like_one_that_is_late(drive):
    camera, ahead_m = drive.rig.cameras[CAMERA], 0.08
    given_ego_from_ego = SE3.from_yaw(0.0, (-ahead_m, 0.0, 0.0))
    behind = replace(camera, ego_from_sensor=given_ego_from_ego @ camera.ego_from_sensor)
    wrong = replace(drive, rig=Rig.of(tuple(drive.rig.lidars.values()), (behind,)))
    found = estimate_offset(wrong, CAMERA, count=8, place_m=ahead_m)
    sure = estimate_offset(wrong, CAMERA, count=8, place_m=0.0)
    ways = np.diff(drive.trajectory.at_many(drive.timestamps_ns).translations, axis=0)
    mean_mps = np.linalg.norm(ways, axis=1).mean() / 0.1
    assert found.offset_ms == sure.offset_ms == pytest.approx(1e3 * ahead_m / mean_mps, rel=0.35)
    assert sure.sigma_ms < found.sigma_ms == pytest.approx(found.offset_ms, rel=0.5)
