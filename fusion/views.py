"""Views for calibration: the images of a camera with the edges of the sweeps that belong to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from calib.errors import CalibrationError
from calib.refine.edges import Edges, scan_edges
from calib.refine.ringless import edges_around
from calib.refine.rings import RingsUnknownError
from calib.refine.view import View, view_of
from calib.se3 import SE3
from calib.shutter import expose
from calib.types import F64, I64
from fusion.align import ego_at_shot_from_ego_at_frame, motion_in_shot
from fusion.beam import image_of_frame
from fusion.log import DriveLog, ImageRef
from fusion.sweep import Sweep, deskew

KNOT_NS = 100_000
FEWEST_EDGES = 200
# A car that stands sees something new too, as things pass by: as much as if it crept along.
CREEP_MPS = 0.3
NEIGHBOURS = (0, 1, -1, 2, -2)
RINGLESS_TOP_WEIGHT = 0.15


def views_of(log: DriveLog, camera: str, frames: Iterable[int] | None = None, count: int = 12) -> list[View]:
    """Views of a camera: at some frames (indices), or at about `count` that are spread over the way driven.

    A frame without sweep, image or enough edges is replaced by a neighbour, or left out. At most `count`
    views are held at once.

    Raises:
        CalibrationError: the log has no such camera.
    """
    if camera not in log.rig.cameras:
        raise CalibrationError(f"the log has no camera {camera!r}; it has {', '.join(log.rig.cameras)}")
    if frames is not None:
        found = (view_at(log, camera, int(log.timestamps_ns[frame])) for frame in frames)
        return [view for view in found if view is not None]
    views, used = [], set[int]()
    for wanted in spread_frames(log, count).tolist():
        for frame in (wanted + step for step in NEIGHBOURS):
            if frame in used or not 0 <= frame < len(log):
                continue
            used.add(frame)
            view = view_at(log, camera, int(log.timestamps_ns[frame]))
            if view is not None and len(view) >= FEWEST_EDGES:
                views.append(view)
                break
    return views


def spread_frames(log: DriveLog, count: int) -> I64:
    """At most `count` indices of frames, evenly over the way driven and, where the car stands, over time."""
    times_ns = log.timestamps_ns
    if len(times_ns) == 0:
        return np.zeros(0, dtype=np.int64)
    within_ns = np.clip(times_ns, log.trajectory.start_ns, log.trajectory.end_ns)
    steps_m = np.linalg.norm(np.diff(log.trajectory.at_many(within_ns).translations, axis=0), axis=1)
    news = np.concatenate([[0.0], np.cumsum(steps_m + CREEP_MPS * np.diff(times_ns) / 1e9)])
    wanted = np.linspace(news[0], news[-1], min(count, len(times_ns)))
    return np.unique(np.abs(news[:, None] - wanted).argmin(axis=0))


def view_at(log: DriveLog, camera: str, frame_ns: int) -> View | None:
    """The view of a camera in one frame; None where the sweep or its image is missing."""
    ref, image = log.sweep_at(frame_ns), image_of_frame(log, camera, frame_ns)
    if ref is None or image is None or not log.trajectory.covers(image.timestamp_ns):
        return None
    return view_between(log, ref.read(), image)


def view_between(log: DriveLog, sweep: Sweep, image: ImageRef) -> View:
    """The view of one image and one sweep, its edges moved to where they are at the image's instant."""
    sensor = log.rig.cameras[image.camera]
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    edges = sweep_edges(log, sweep)
    ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, sweep.timestamp_ns)
    ego_at_shot_from_lidar = ego_at_shot_from_ego @ ego_from_lidar
    if sensor.readout_ns:
        edges = _when_read_out(log, image, edges, ego_at_shot_from_lidar)
    name = f"{image.camera} at {sweep.timestamp_ns}"
    return view_of(edges, ego_at_shot_from_lidar, image.read(), sensor.model, sensor.ego_from_sensor, name)


def _when_read_out(log: DriveLog, image: ImageRef, edges: Edges, ego_at_shot_from_lidar: SE3) -> Edges:
    """Edges where the car saw them as their own rows were exposed, as if the whole image had been then.

    The row depends on the mount, but so little within what a mount may be off that it is taken as given.
    """
    sensor = log.rig.cameras[image.camera]
    points_ego_at_shot = ego_at_shot_from_lidar @ edges.points
    motion = motion_in_shot(log, image, image.timestamp_ns)
    row_ns = expose(points_ego_at_shot, sensor, motion).row_ns
    instants_ns = np.clip(image.timestamp_ns + row_ns, log.trajectory.start_ns, log.trajectory.end_ns)
    ego_at_rows_from_world = log.trajectory.at_many(instants_ns).inverse()
    ego_at_rows_from_ego_at_shot = ego_at_rows_from_world @ log.trajectory.at(image.timestamp_ns)
    points_ego = ego_at_rows_from_ego_at_shot @ points_ego_at_shot
    return replace(edges, points=ego_at_shot_from_lidar.inverse() @ points_ego)


def sweep_edges(log: DriveLog, sweep: Sweep) -> Edges:
    """The edges of a sweep, found in the points as measured, then moved to the sweep's own instant.

    Where the rings cannot be told they are less sharp, and what rests on them is less sure.
    """
    try:
        return ring_edges(log, sweep)
    except RingsUnknownError:
        points_lidar = as_measured(sweep, log.rig.lidars[sweep.lidar].ego_from_sensor, log)
        return _at_its_instant(log, sweep, edges_around(points_lidar, RINGLESS_TOP_WEIGHT))


def ring_edges(log: DriveLog, sweep: Sweep) -> Edges:
    """As `sweep_edges`, of a sweep whose rings are known.

    Raises:
        RingsUnknownError: they are not.
    """
    points_lidar = as_measured(sweep, log.rig.lidars[sweep.lidar].ego_from_sensor, log)
    return _at_its_instant(log, sweep, scan_edges(points_lidar, sweep.ring))


def _at_its_instant(log: DriveLog, sweep: Sweep, edges: Edges) -> Edges:
    """Edges as measured, moved to where they are at the instant of the sweep."""
    if sweep.offset_ns is None:
        return edges
    # As `as_measured` did: what was measured before the trajectory begins moves with its first pose.
    covered_ns = np.array([log.trajectory.start_ns, log.trajectory.end_ns]) - sweep.timestamp_ns
    offset_ns = np.clip(sweep.offset_ns[edges.source], *covered_ns)
    raw = Sweep(sweep.lidar, sweep.timestamp_ns, edges.points, offset_ns=offset_ns, deskewed=False)
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    return replace(edges, points=deskew(raw, ego_from_lidar, log.trajectory).points)


def as_measured(sweep: Sweep, ego_from_lidar: SE3, log: DriveLog) -> F64:
    """(N, 3) points of a sweep from where the LiDAR was as it measured each: deskewing undone."""
    points_lidar = sweep.points.astype(np.float64)
    if not sweep.deskewed or sweep.offset_ns is None or len(sweep) == 0:
        return points_lidar
    knots, which = np.unique(np.round(sweep.offset_ns / KNOT_NS).astype(np.int64), return_inverse=True)
    instants_ns = sweep.timestamp_ns + knots * KNOT_NS
    instants_ns = np.clip(instants_ns, log.trajectory.start_ns, log.trajectory.end_ns)
    world_from_lidar = log.trajectory.at(sweep.timestamp_ns) @ ego_from_lidar
    lidar_at_points_from_world = (log.trajectory.at_many(instants_ns) @ ego_from_lidar).inverse()
    moves = lidar_at_points_from_world @ world_from_lidar
    return moves.take(which) @ points_lidar
