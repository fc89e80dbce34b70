"""Errors of the log: a camera that sits otherwise than is said, or whose clock is off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from calib.rig import Rig
from calib.se3 import SE3
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.seeded.kinds import Level
from fusion.seeded.seeded import SeededError
from fusion.seeded.site import Change, Site


def drifts(site: Site, level: Level) -> Iterator[Change]:
    """A camera turned about any axis."""
    log = site.survey.log
    for camera in _cameras(site):
        axis = site.rng.normal(size=3)
        turn_rad = np.radians(level.amount) * axis / np.linalg.norm(axis)
        cam_from_given_cam = SE3.from_rotation_vector(turn_rad)
        sensor = log.rig.cameras[camera]
        ego_from_cam = sensor.ego_from_sensor @ cam_from_given_cam.inverse()
        turned = replace(sensor, ego_from_sensor=ego_from_cam)
        cameras = tuple(turned if c.name == camera else c for c in log.rig.cameras.values())
        rig = Rig.of(tuple(log.rig.lidars.values()), cameras)
        x, y, z = np.degrees(turn_rad).tolist()
        words = f"{camera}: turned by {level.amount:g} degrees ({x:+.2f} {y:+.2f} {z:+.2f} about x y z)"
        error = SeededError(level.kind, level.amount, words, camera=camera, gross=level.gross)
        yield Change(error, log=replace(log, rig=rig))


def clocks(site: Site, level: Level) -> Iterator[Change]:
    """A camera whose images are stamped too late or too early."""
    log = site.survey.log
    for camera in _cameras(site):
        late_ms = level.amount * site.sign()
        late_ns = round(late_ms * 1e6)
        refs = [replace(ref, timestamp_ns=ref.timestamp_ns + late_ns) for ref in log.images.get(camera, ())]
        covered = tuple(ref for ref in refs if log.trajectory.covers(ref.timestamp_ns))
        words = f"{camera}: stamped {late_ms:+g} ms late"
        error = SeededError(level.kind, level.amount, words, camera=camera, gross=level.gross)
        yield Change(error, log=replace(log, images={**log.images, camera: covered}), late_ns=late_ns)


def with_late_camera(labels: LabelSet, camera: str, late_ns: int) -> LabelSet:
    """The labels whose rectangles in one camera follow the stamps of its images."""

    def moved(track: Track) -> Track:
        boxes = {(c, t + late_ns * (c == camera)): box for (c, t), box in track.image_boxes.items()}
        return replace(track, image_boxes=boxes)

    return replace(labels, tracks={track.id: moved(track) for track in labels.tracks.values()})


def _cameras(site: Site) -> Iterator[str]:
    """The cameras that have images, in random order."""
    log: DriveLog = site.survey.log
    names = [name for name in sorted(log.rig.cameras) if log.images.get(name)]
    for k in site.rng.permutation(len(names)).tolist():
        yield names[k]
