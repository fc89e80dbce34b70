"""Reads what the doctor looks at: edges of sweeps, put together with the images that belong to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.doctor.shot import Shot, shot_of
from calib.errors import CrosslabelError
from calib.refine.edges import Edges, scan_edges
from calib.refine.ringless import edges_around
from calib.refine.rings import RingsUnknownError
from fusion.align import ego_at_shot_from_ego_at_frame, read_deskewed
from fusion.beam import image_of_frame
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.views import ring_edges

FRAMES = 6


def read_shots(log: DriveLog, frames: int = FRAMES, still: bool = False) -> dict[str, list[Shot]]:
    """Shots of every camera with the main LiDAR, spread over a log; what is missing is left out.

    Where `still`, points stay as they were measured: what the car moves meanwhile is let be.
    """
    picks = np.unique(np.linspace(0, max(len(log) - 1, 0), min(frames, len(log))).round().astype(int))
    shots: dict[str, list[Shot]] = {name: [] for name in log.rig.cameras}
    for frame in picks:
        for name, shot in shots_at(log, int(log.timestamps_ns[frame]), tuple(log.rig.cameras), still).items():
            shots[name].append(shot)
    return shots


def shots_at(log: DriveLog, frame_ns: int, cameras: Sequence[str], still: bool = False) -> dict[str, Shot]:
    """Shots of some cameras in one frame."""
    ref = log.sweep_at(frame_ns)
    if ref is None:
        return {}
    found, edges = {}, None
    for camera in cameras:
        image = _image(log, camera, frame_ns)
        if (
            image is None
            or not log.trajectory.covers(image.timestamp_ns)
            or not log.trajectory.covers(frame_ns)
        ):
            continue
        if edges is None:
            edges = edges_of(log, ref, still)
        motion = ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)
        found[camera] = shot_of(edges, motion, image.read(), f"{camera} at {frame_ns}")
    return found


def edges_of(log: DriveLog, ref: SweepRef, still: bool = False) -> Edges:
    """Edges of a sweep along its rings, which are much the sharpest; all around where rings are not known."""
    sweep = ref.read()
    try:
        return scan_edges(sweep.points, sweep.ring) if still else ring_edges(log, sweep)
    except RingsUnknownError:
        return edges_around((sweep if still else read_deskewed(log, ref)).points)


def _image(log: DriveLog, camera: str, frame_ns: int) -> ImageRef | None:
    """As the beam passes the camera's view; as near as can be where the mount does not tell when."""
    try:
        found = image_of_frame(log, camera, frame_ns)
    except CrosslabelError:
        found = None
    return found or log.image_near(camera, frame_ns)
