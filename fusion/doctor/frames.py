"""Images that belong to another frame than the one they are given for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calib.doctor.candidates import geometry_of
from calib.doctor.finding import Finding
from calib.doctor.score import score
from calib.doctor.shot import Shot, shot_of, with_edges
from fusion.align import ego_at_shot_from_ego_at_frame
from fusion.doctor.shots import edges_of
from fusion.log import DriveLog

SHIFTS = (-2, -1, 0, 1, 2)
SCANS, MOST_CAMERAS = 3, 4
LEAST_MOVE_M, LEAST_TURN_RAD = 0.3, np.radians(1.5)
LEAST_RISE, LEAST_GAIN, MOST_OF_BEST_AS_GIVEN = 0.025, 0.012, 0.7


def find_shifted_images(log: DriveLog, known: Mapping[str, Sequence[Shot]]) -> list[Finding]:
    """Cameras whose images fit the sweeps better when taken some frames later or earlier.

    It can be told only while the car moves, so the frames are those in which it moves most; and not where
    the images come at another rate than the sweeps.
    """
    middle = _fastest(log)
    if middle is None:
        return []
    cameras = [name for name, some in known.items() if some and len(log.images.get(name, ())) == len(log)]
    found: dict[str, tuple[int, float, float]] = {}
    rises = {name: _rises(log, name, middle) for name in cameras[:MOST_CAMERAS]}
    for name, by_shift in rises.items():
        best = max(by_shift, key=by_shift.__getitem__)
        as_given, mended = by_shift.get(0, 0.0), by_shift[best]
        clear = mended > LEAST_RISE and mended - as_given > LEAST_GAIN
        if best != 0 and clear and as_given < MOST_OF_BEST_AS_GIVEN * mended:
            found[name] = (best, as_given, mended)
    # A camera that looks ahead hardly tells one frame from the next, but it must not speak against the rest.
    shifts = {max(by_shift, key=by_shift.__getitem__) for by_shift in rises.values() if by_shift}
    if found and len(rises) > 1 and len(shifts) == 1:
        return [_finding("log", "the images of all cameras", *next(iter(found.values())))]
    return [_finding(name, f"{name}: its images", *values) for name, values in found.items()]


def _finding(sensor: str, images: str, shift: int, as_given: float, mended: float) -> Finding:
    frames = f"{abs(shift)} frame{'s' if abs(shift) > 1 else ''} {'later' if shift > 0 else 'earlier'}"
    also = " (or the sweeps are stamped at the other end of their revolution)" if sensor == "log" else ""
    return Finding(
        "images_shifted",
        sensor,
        "wrong",
        f"{images} fit the sweeps when those taken {frames} are used{also}",
        "see which image belongs to which sweep, and whether a stamp means the start or the end of a sweep",
        evidence={
            "rise_as_given": round(as_given, 4),
            "rise_mended": round(mended, 4),
            "frames": float(shift),
        },
    )


def _fastest(log: DriveLog) -> list[int] | None:
    """Consecutive frames in the middle of the fastest part; None where the car hardly moves."""
    inside = [k for k, t in enumerate(log.timestamps_ns.tolist()) if log.trajectory.covers(t)]
    first, last = max(SHIFTS), len(log) - 1 - max(SHIFTS)
    inside = [k for k in inside if first <= k <= last]
    if len(inside) < 3:
        return None
    world_from_ego = log.trajectory.at_many(log.timestamps_ns[inside])
    steps = [world_from_ego[k].inverse() @ world_from_ego[k + 1] for k in range(len(world_from_ego) - 1)]
    moved = np.array([np.linalg.norm(step.translation) / LEAST_MOVE_M for step in steps])
    turned = np.array([np.linalg.norm(step.rotation_vector_rad) / LEAST_TURN_RAD for step in steps])
    pace = np.maximum(moved, turned)
    if pace.max() < 1:
        return None
    order = np.argsort(-pace)[: max(SCANS, len(pace) // 2)]
    picks = np.sort(order)[np.unique(np.linspace(0, len(order) - 1, SCANS).round().astype(int))]
    return [inside[int(k)] for k in picks]


def _rises(log: DriveLog, camera: str, frames: Sequence[int]) -> dict[int, float]:
    """How well sweeps and images fit, by how many frames later the images are taken than given."""
    lidar, refs = log.rig.main_lidar, log.images[camera]
    assert lidar is not None
    by_shift: dict[int, list[Shot]] = {shift: [] for shift in SHIFTS}
    pictures: dict[int, Shot] = {}
    for frame in frames:
        frame_ns = int(log.timestamps_ns[frame])
        sweep, near = log.sweep_at(frame_ns), log.image_near(camera, frame_ns)
        if sweep is None or near is None or not log.trajectory.covers(near.timestamp_ns):
            continue
        edges = edges_of(log, sweep)
        motion = ego_at_shot_from_ego_at_frame(log, near.timestamp_ns, frame_ns)
        number = refs.index(near)
        for shift, shots in by_shift.items():
            other = number + shift
            if not 0 <= other < len(refs):
                continue
            if other not in pictures:
                pictures[other] = shot_of(edges, motion, refs[other].read())
            shots.append(with_edges(pictures[other], edges, motion))
    geometry = geometry_of(log.rig.cameras[camera], lidar)
    return {shift: score(shots, geometry).rise for shift, shots in by_shift.items() if shots}
