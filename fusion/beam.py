"""When the beam of a spinning LiDAR passes what.

A LiDAR takes a tenth of a second for a revolution, so an object that moves is measured where it is when
the beam passes it, and that is where people draw its box: on its points. A box therefore belongs to the
instant of its points, not to the timestamp of the sweep. At 10 m/s the difference is up to a metre.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calib.rig import Lidar
from calib.types import F64, I64, Floats
from fusion.boxes import Boxes
from fusion.labels import Track
from fusion.log import DriveLog, ImageRef
from fusion.sweep import Sweep

SECTORS = 180
NEAREST_M = 1.5
VIEW_M = 20.0
IMAGE_WITHIN_NS = 60_000_000


def seen_ns(log: DriveLog, track: Track) -> I64:
    """(N,) the instants at which the points under each annotation of a track were measured, about."""
    frames_ns = np.fromiter(track.annotations, dtype=np.int64, count=len(track.annotations))
    boxes = Boxes.stack(annotation.box for annotation in track.annotations.values())
    return frames_ns + beam_offset_ns(log, boxes.dst_from_box.translations)


def beam_offset_ns(log: DriveLog, places_ego: Floats) -> I64:
    """When the main LiDAR's beam passes (N, 3) places of the ego frame, counted from the sweep's timestamp.

    Zero where the log does not tell: no LiDAR, no times of points.
    """
    table = np.array(beam_table(log), dtype=np.int64)
    lidar = log.rig.main_lidar
    if len(table) == 0 or lidar is None:
        return np.zeros(len(places_ego), dtype=np.int64)
    origin = lidar.ego_from_sensor.translation
    return table[_sectors(np.asarray(places_ego, dtype=np.float64) - origin, len(table))]


def view_offset_ns(log: DriveLog, camera: str) -> int:
    """When the beam passes the middle of a camera's view, counted from the sweep's timestamp."""
    middle_cam = np.array([[0.0, 0.0, VIEW_M]])
    return int(beam_offset_ns(log, log.rig.cameras[camera].ego_from_sensor @ middle_cam)[0])


def image_of_frame(log: DriveLog, camera: str, frame_ns: int) -> ImageRef | None:
    """The image that shows what the LiDAR measured of a camera's view in a frame; None if it is missing."""
    return log.image_near(camera, frame_ns + view_offset_ns(log, camera), IMAGE_WITHIN_NS)


def beam_table(log: DriveLog) -> tuple[int, ...]:
    """The beam's offsets by sector: what the rig says of the main LiDAR, else measured on one sweep."""
    lidar = log.rig.main_lidar
    if lidar is None:
        return ()
    if lidar.beam_offset_ns or not log.sweeps.get(lidar.name):
        return lidar.beam_offset_ns
    return _measured_on_first_sweep(log, lidar)


@lru_cache(maxsize=16)
def _measured_on_first_sweep(log: DriveLog, lidar: Lidar) -> tuple[int, ...]:
    sweep = log.sweeps[lidar.name][0].read()
    sweep = sweep.keep(np.asarray(np.isfinite(sweep.points).all(axis=1)))
    rays = lidar.ego_from_sensor.rotate(sweep.points.astype(np.float64))
    return measure_beam(sweep, rays)


def measure_beam(sweep: Sweep, rays_ego: F64) -> tuple[int, ...]:
    """The median time of the points in each sector; empty where the points have no times.

    Args:
        sweep: of a spinning LiDAR.
        rays_ego: (N, 3) its points, turned into the ego frame but seen from the LiDAR's place.
    """
    if sweep.offset_ns is None:
        return ()
    far = np.hypot(rays_ego[:, 0], rays_ego[:, 1]) > NEAREST_M
    sectors, offsets = _sectors(rays_ego[far], SECTORS), sweep.offset_ns[far]
    if len(sectors) == 0:
        return ()
    order = np.argsort(sectors, kind="stable")
    filled, starts = np.unique(sectors[order], return_index=True)
    medians = np.array([np.median(part) for part in np.split(offsets[order], starts[1:])])
    # A sector without points takes the value of the nearest one that has some.
    gaps = np.abs(np.arange(SECTORS)[:, None] - filled)
    nearest = np.argmin(np.minimum(gaps, SECTORS - gaps), axis=1)
    return tuple(int(value) for value in medians[nearest])


def _sectors(rays_ego: F64, count: int) -> I64:
    azimuths = np.arctan2(rays_ego[:, 1], rays_ego[:, 0]) % (2 * np.pi)
    return np.minimum((azimuths / (2 * np.pi) * count).astype(np.int64), count - 1)
