"""Whether a camera's clock agrees with the LiDAR's, told from the pictures.

A wrong clock puts the edges of the scans beside the edges of the images, by as much as the car moves in
that time. So the shift of the camera's timestamps is sought at which they fall together best, jointly with
a small turn of the camera, so that a wrong calibration does not pass for a wrong clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from calib.errors import CalibrationError
from calib.refine.view import View, alignments
from calib.types import F64, frozen
from fusion.align import lens_of_shot
from fusion.beam import IMAGE_WITHIN_NS, view_offset_ns
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.views import view_between

COARSE_MS = 2.0
ROUNDS = 2
FEWEST = 4
STEPS = (6.0, 0.25, 0.25, 0.25)  # of the climb: ms, degrees
STEP_MS = 0.75
# States about the best one from which resampled frames choose: ms, and degrees about x, y, z.
LATTICE = (
    STEP_MS * np.arange(-20, 21),
    np.array([-0.06, 0.0, 0.06]),
    0.06 * np.arange(-4, 5),
    np.array([0.0]),
)
PLACE_M = 0.02  # how well the place of a camera along the car's way is known
INFLATION = 2.0  # how much wider answers scatter than resampled frames; from simulated drives
LEAST_PX_PER_10_MS = 0.3
LARGEST_SIGMA_MS = 8.0
RESAMPLES = 200
Verdict = Literal["agrees", "off", "cannot say"]


@dataclass(frozen=True, slots=True)
class TimeOffset:
    """What the pictures say about a camera's clock.

    Attributes:
        offset_ms: to be added to the camera's timestamps.
        sigma_ms: its standard deviation: between frames, and for a camera that sits elsewhere than it says.
        verdict: whether it agrees with the LiDAR's clock to two sigma; or that this cannot be said.
        reason: why, in words.
        correlation: of the offset with the turn of the camera that could pass for it, 0 to 1.
        turn_deg: (x, y, z) the turn of the camera that was found with it, in its own axes.
    """

    offset_ms: float
    sigma_ms: float
    verdict: Verdict
    reason: str
    correlation: float = 0.0
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)


def estimate_offset(
    log: DriveLog,
    camera: str,
    most_ms: float = 100.0,
    count: int = 16,
    seed: int = 0,
    place_m: float = PLACE_M,
) -> TimeOffset:
    """Estimates by how much a camera's timestamps are wrong.

    Args:
        log: with sweeps, images and a trajectory that covers them.
        camera: name in the rig.
        most_ms: largest offset to look for.
        count: frames to use, spread over the log.
        seed: of the resampling.
        place_m: standard deviation of the camera's place along the car's way; one that sits further ahead
            than it says looks like one whose images were taken later.

    Raises:
        CalibrationError: the log has no such camera.
    """
    if camera not in log.rig.cameras:
        raise CalibrationError(f"the log has no camera {camera!r}; it has {', '.join(log.rig.cameras)}")
    shots = _shots(log, camera, 0.0, most_ms, count)
    if len(shots) < FEWEST:
        return _cannot_say(f"only {len(shots)} frames have a sweep, an image and a trajectory around them")
    try:
        near = _Shifted.of(log, camera, shots, 0.0)
    except CalibrationError as error:
        return _cannot_say(str(error))
    speed_px = near.speed_px_per_ms()
    if 10 * speed_px < LEAST_PX_PER_10_MS:
        return _cannot_say(
            f"the car hardly moves: what the camera sees goes {10 * speed_px:.1f} pixels in 10 ms"
        )
    shifts_ms = np.arange(-most_ms, most_ms + COARSE_MS / 2, COARSE_MS)
    states = np.column_stack([shifts_ms, np.zeros((len(shifts_ms), 3))])
    state = states[np.argmax(near.scores(states).sum(axis=1))]
    for _ in range(ROUNDS):
        shots = _shots(log, camera, float(state[0]), most_ms, count)
        if len(shots) < FEWEST:
            return _cannot_say(f"only {len(shots)} frames are left at a shift of {state[0]:.0f} ms")
        near = _Shifted.of(log, camera, shots, float(state[0]))
        state = near.climbed(state)
    return _judged(near, state, most_ms, seed, place_m)


def _cannot_say(reason: str) -> TimeOffset:
    return TimeOffset(0.0, float("inf"), "cannot say", reason)


def _shots(
    log: DriveLog, camera: str, shift_ms: float, most_ms: float, count: int
) -> list[tuple[SweepRef, ImageRef]]:
    """Sweeps and the images of what they measured, these shifted, spread over the log with room about."""
    room_ns, shift_ns = round(1.2e6 * most_ms), round(1e6 * shift_ms)
    view_ns, found = view_offset_ns(log, camera), []
    for frame_ns in log.timestamps_ns.tolist():
        ref = log.sweep_at(frame_ns)
        image = log.image_near(camera, frame_ns + view_ns - shift_ns, IMAGE_WITHIN_NS)
        if ref is None or image is None:
            continue
        moved = replace(image, timestamp_ns=image.timestamp_ns + shift_ns)
        if all(log.trajectory.covers(moved.timestamp_ns + way * room_ns) for way in (-1, 1)):
            found.append((ref, moved))
    picked = np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int))
    return [found[k] for k in picked.tolist()] if found else []


@dataclass(frozen=True, eq=False, slots=True)
class _Shifted:
    """Views of a camera whose timestamps have been shifted, to be shifted and turned further.

    Attributes:
        views: of the shifted images.
        instants_ns: their shifted timestamps.
        shift_ms: by which they have been shifted.
    """

    log: DriveLog
    camera: str
    views: list[View]
    instants_ns: list[int]
    shift_ms: float

    @classmethod
    def of(
        cls, log: DriveLog, camera: str, shots: Sequence[tuple[SweepRef, ImageRef]], shift_ms: float
    ) -> _Shifted:
        views = [_row_by_row(log, image, view_between(log, ref.read(), image)) for ref, image in shots]
        return cls(log, camera, views, [image.timestamp_ns for _, image in shots], shift_ms)

    def scores(self, states: F64) -> F64:
        """(C, V) how well edges agree for (C, 4) states: the whole shift in ms and a turn in degrees."""
        from scipy.spatial.transform import Rotation

        ego_from_cam = self.log.rig.cameras[self.camera].ego_from_sensor
        turns = Rotation.from_rotvec(np.radians(states[:, 1:]))
        late_ns = np.round(1e6 * (states[:, 0] - self.shift_ms)).astype(np.int64)
        found = []
        for view, instant_ns in zip(self.views, self.instants_ns, strict=True):
            world_from_cam = self.log.trajectory.at(instant_ns) @ ego_from_cam
            world_from_cam_at_shift = self.log.trajectory.at_many(instant_ns + late_ns) @ ego_from_cam
            cam_at_shift_from_cam = world_from_cam_at_shift.inverse() @ world_from_cam
            turned = (turns * Rotation.from_matrix(cam_at_shift_from_cam.rotations)).as_rotvec()
            corrections = np.column_stack([turned, turns.apply(cam_at_shift_from_cam.translations.copy())])
            found.append(alignments([view], ego_from_cam, corrections)[:, 0])
        return np.stack(found, axis=1)

    def speed_px_per_ms(self) -> float:
        """How fast the edges go through the image, in the median."""
        sensor, step_ns = self.log.rig.cameras[self.camera], 5_000_000
        moved = []
        for view, instant_ns in zip(self.views, self.instants_ns, strict=True):
            world_from_ego = self.log.trajectory.at(instant_ns)
            ego_at_late_from_ego = self.log.trajectory.at(instant_ns + step_ns).inverse() @ world_from_ego
            cam_from_ego = sensor.ego_from_sensor.inverse()
            points_ego = view.points_ego.T.astype(np.float64)
            now = sensor.model.project(cam_from_ego @ points_ego)
            late = sensor.model.project(cam_from_ego @ (ego_at_late_from_ego @ points_ego))
            both = now.visible & late.visible
            moved.append(np.linalg.norm(late.uv_px[both] - now.uv_px[both], axis=1))
        ways_px = np.concatenate(moved)
        return float(np.median(ways_px)) / (step_ns / 1e6) if len(ways_px) else 0.0

    def speed_mps(self) -> float:
        """How fast the car drives, each frame counted as it tells of time: by its speed; at least a crawl."""
        step_ns, instants_ns = 10_000_000, np.array(self.instants_ns)
        ends = [self.log.trajectory.at_many(instants_ns + way * step_ns).translations for way in (-1, 1)]
        speeds_mps = np.linalg.norm(ends[1] - ends[0], axis=1) / (2e-9 * step_ns)
        return max(float(np.sum(speeds_mps**2) / max(np.sum(speeds_mps), 1e-9)), 0.1)

    def climbed(self, start: F64) -> F64:
        """A better state near by: one number after the other, in ever smaller steps."""
        state = start.copy()
        for shrink in (1.0, 0.5, 0.25):
            for _ in range(2):
                for axis in (0, 2, 1, 3):
                    tries = np.tile(state, (13, 1))
                    tries[:, axis] += shrink * STEPS[axis] * np.linspace(-1.5, 1.5, 13)
                    state = tries[np.argmax(self.scores(tries).sum(axis=1))]
        return state


def _row_by_row(log: DriveLog, image: ImageRef, view: View) -> View:
    """Edges of a rolling shutter, moved to where a global one would have seen them on the same pixels."""
    camera = log.rig.cameras[image.camera]
    if camera.readout_ns == 0:
        return view
    points_ego = view.points_ego.T.astype(np.float64)
    seen = lens_of_shot(log, image).project(camera.ego_from_sensor.inverse() @ points_ego)
    rows_ns = camera.row_offset_ns(np.nan_to_num(seen.uv_px))
    rows_ns = np.clip(rows_ns, -camera.readout_ns, camera.readout_ns)
    instants_ns = image.timestamp_ns + np.round(rows_ns).astype(np.int64)
    world_from_ego = log.trajectory.at(image.timestamp_ns)
    ego_at_rows_from_world = log.trajectory.at_many(instants_ns).inverse()
    places = (ego_at_rows_from_world @ world_from_ego) @ points_ego
    return replace(view, points_ego=frozen(places.T, np.float32))


def _judged(near: _Shifted, state: F64, most_ms: float, seed: int, place_m: float) -> TimeOffset:
    """The best of a lattice about a state, how far it strays between frames, and what that is worth."""
    lattice = state + np.stack(np.meshgrid(*LATTICE, indexing="ij"), axis=-1).reshape(-1, 4)
    scores = near.scores(lattice)
    frames = scores.shape[1]
    picks = np.random.default_rng(seed).integers(0, frames, (RESAMPLES, frames))
    counts = np.stack([np.bincount(pick, minlength=frames) for pick in picks], axis=1)
    strays = lattice[np.argmax(scores @ counts, axis=0)]
    found = lattice[np.argmax(scores.sum(axis=1))]
    covariance = np.cov(strays.T) * frames / (frames - 1)
    spread = np.sqrt(np.diag(covariance))
    frames_ms = INFLATION * float(np.hypot(spread[0], STEP_MS / np.sqrt(12)))
    place_ms = 1e3 * place_m / near.speed_mps()
    sigma_ms = float(np.hypot(frames_ms, place_ms))
    correlations = np.abs(covariance[0, 1:]) / np.maximum(spread[0] * spread[1:], 1e-9)
    turn_x, turn_y, turn_z = (float(value) for value in found[1:])
    told = (float(correlations.max()), (turn_x, turn_y, turn_z))
    offset_ms = float(found[0])
    against = _objection(abs(offset_ms) / most_ms, frames_ms, place_ms)
    if against:
        return TimeOffset(offset_ms, sigma_ms, "cannot say", against, *told)
    off = abs(offset_ms) > 2 * sigma_ms
    reason = f"{offset_ms:+.1f} ms at {sigma_ms:.1f} ms sigma from {frames} frames"
    return TimeOffset(offset_ms, sigma_ms, "off" if off else "agrees", reason, *told)


def _objection(share: float, frames_ms: float, place_ms: float) -> str:
    """Why an offset at a share of the largest one cannot be believed, in words; empty if it can."""
    if share > 0.95:
        return "the best shift lies at the end of what was looked at"
    if np.hypot(frames_ms, place_ms) <= LARGEST_SIGMA_MS:
        return ""
    if place_ms > frames_ms:
        return f"the car is so slow that what the camera's place may be off would pass for {place_ms:.1f} ms"
    return f"one frame says this, another one that: {frames_ms:.1f} ms apart"
