"""A simulated drive: rectangles of the true shapes, which are not those of boxes."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, Rig
from fusion.checks.blame import Culprit, judge, views_of
from fusion.checks.evidence import Evidence
from fusion.simulate import SimulationConfig
from fusion.simulate.drive import Drive

CAMERA = "cam_front_left"


def outlines(drive: Drive, camera: str, frame: int) -> Evidence:
    """The rectangle around every vertex of every thing within 40 m that is all ahead of the camera."""
    shot_ns, sensor = drive.exposure_ns(camera, frame), drive.rig.cameras[camera]
    cam_from_world = (drive.trajectory.at(shot_ns) @ sensor.ego_from_sensor).inverse()
    size_px = np.array([sensor.model.width_px, sensor.model.height_px]) - 1.0
    rectangles, names, ids = [], [], []
    for actor in drive.actors:
        cam_from_box = cam_from_world @ actor.world_from_box(shot_ns)
        if (
            np.linalg.norm(cam_from_box.translation) > 40
            or cam_from_box.translation[2] < actor.body.radius_m + 1
        ):
            continue
        mesh = actor.body.meshes[int(actor.phases(np.array([shot_ns]))[0])]
        uv_px = sensor.model.project(cam_from_box @ mesh.vertices.astype(np.float64)).uv_px
        uv_px = uv_px[np.isfinite(uv_px).all(axis=1)]
        if len(uv_px) == 0 or (uv_px.max(axis=0) < 0).any() or (uv_px.min(axis=0) > size_px).any():
            continue
        ltrb_px = np.clip([uv_px.min(axis=0), uv_px.max(axis=0)], 0, size_px)
        rectangles.append(ltrb_px.ravel())
        names.append(actor.body.category)
        ids.append(actor.id)
    return Evidence(camera, shot_ns, np.array(rectangles), tuple(names), None, tuple(ids))


@pytest.fixture(scope="module")
def street():
    drive = Drive(SimulationConfig(seed=3, seconds=5.0, cameras=2, style="straight"))
    rng, evidence = np.random.default_rng(0), []
    for camera in drive.rig.cameras:
        for frame in range(0, drive.config.frames, 2):
            told = outlines(drive, camera, frame)
            noise = rng.normal(size=told.ltrb_px.shape)
            evidence.append(replace(told, ltrb_px=told.ltrb_px + noise, track_ids=None))
    return drive.log(), drive.labels(), evidence


def judged(log, labels, evidence):
    return judge(log, labels, evidence, views_of(log, labels, evidence)).cameras


def test_shapes_are_no_errors(street) -> None:
    assert not {blame.culprit for blame in judged(*street).values()} - {Culprit.NONE, Culprit.UNDECIDED}


def test_a_turned_camera(street) -> None:
    log, labels, evidence = street
    sensor = log.rig.cameras[CAMERA]
    given_cam_from_cam = SE3.from_rotation_vector(np.radians([0.0, 0.5, 0.0]))
    wrong = replace(sensor, ego_from_sensor=sensor.ego_from_sensor @ given_cam_from_cam)
    cameras = {**log.rig.cameras, CAMERA: wrong}
    turned = replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), tuple(cameras.values())))
    blame = judged(turned, labels, evidence)
    assert blame[CAMERA].culprit is Culprit.CALIBRATION
    assert np.degrees(blame[CAMERA].rotation_rad[1]) == pytest.approx(0.5, abs=0.2)
    assert blame["cam_front"].culprit is Culprit.NONE


def test_a_late_camera(street) -> None:
    log, labels, evidence = street
    late = [
        replace(told, timestamp_ns=told.timestamp_ns + 30_000_000) if told.camera == CAMERA else told
        for told in evidence
    ]
    blame = judged(log, labels, late)
    assert blame[CAMERA].culprit is Culprit.CLOCK
    assert blame[CAMERA].offset_ns / 1e6 == pytest.approx(-30.0, abs=8.0)
    assert blame["cam_front"].culprit is Culprit.NONE
