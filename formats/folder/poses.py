"""`poses.csv`: the way of the car, a line a pose."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3, SE3Batch
from calib.types import F64
from formats.errors import FormatError
from formats.files import read_text, write_text
from fusion.trajectory import Trajectory

FILE_NAME = "poses.csv"
NUMBERS = ("qw", "qx", "qy", "qz", "x", "y", "z")
CLOCKS = ("timestamp_ns", "frame")
OVERHANG_NS = 200_000_000
AROUND_NS = 1_000_000_000


def read_poses(path: Path, period_ns: float) -> Trajectory:
    """The poses of the car in the world.

    The columns have names, in any order. The first, `timestamp_ns`, may be `frame` in a log of frames.

    Raises:
        FormatError: malformed, or times that do not rise.
    """
    lines = read_text(path).splitlines()
    head = [word.strip() for word in lines[0].split(",")] if lines else []
    clock = next((name for name in CLOCKS if name in head), None)
    if clock is None or sorted(head) != sorted((clock, *NUMBERS)):
        raise FormatError(path, "line 1", f"must name the columns {','.join((CLOCKS[0], *NUMBERS))}")
    times_ns, rows = [], []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            words = dict(zip(head, (word.strip() for word in line.split(",")), strict=False))
            times_ns.append(_time_ns(path, number, words.get(clock, ""), clock, period_ns))
            rows.append(_pose(path, number, words))
    try:
        poses: F64 = np.array(rows, dtype=np.float64).reshape(-1, 7)
        world_from_ego = SE3Batch.from_quaternions_wxyz(poses[:, :4], poses[:, 4:])
        return Trajectory(np.array(times_ns, dtype=np.int64), world_from_ego)
    except CalibrationError as error:
        raise FormatError(path, "", str(error)) from None


def _time_ns(path: Path, number: int, word: str, clock: str, period_ns: float) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 19 + (clock == "timestamp_ns")):
        raise FormatError(path, f"line {number}", f"{word[:40]!r} is no {clock}")
    time_ns = int(word) if clock == "timestamp_ns" else round(int(word) * period_ns)
    if time_ns >= 1 << 62:
        raise FormatError(path, f"line {number}", f"{word[:40]!r} is no {clock}")
    return time_ns


def _pose(path: Path, number: int, words: dict[str, str]) -> list[float]:
    try:
        values = [float(words[name]) for name in NUMBERS]
    except (KeyError, ValueError):
        raise FormatError(path, f"line {number}", "must hold eight numbers") from None
    if not np.isfinite(values).all() or not 0.99 < math.hypot(*values[:4]) < 1.01:
        raise FormatError(path, f"line {number}", "needs finite numbers and a quaternion of length 1")
    return values


def poses_text(trajectory: Trajectory) -> str:
    """All poses, to the last digit."""
    world_from_ego = trajectory.world_from_ego
    rows = np.hstack([world_from_ego.quaternions_wxyz, world_from_ego.translations]).tolist()
    lines = [
        f"{t},{','.join(map(repr, row))}\n"
        for t, row in zip(trajectory.timestamps_ns.tolist(), rows, strict=True)
    ]
    return f"timestamp_ns,{','.join(NUMBERS)}\n" + "".join(lines)


def write_poses(path: Path, trajectory: Trajectory) -> None:
    """Writes poses.csv whole or not at all.

    Raises:
        FormatError: it cannot be written.
    """
    write_text(path, poses_text(trajectory))


def standing_around(first_ns: int, last_ns: int) -> Trajectory:
    """A car that stands, from a second before to a second after."""
    return Trajectory.standing([first_ns - AROUND_NS, last_ns + AROUND_NS])


def carried_on(trajectory: Trajectory, first_ns: int, last_ns: int) -> Trajectory:
    """The trajectory until 0.2 s before the first and after the last of two instants that it covers.

    The last points of a sweep are measured up to a revolution after its instant, where poses that were
    taken at the instants of sweeps have ended. The car goes on as between the two outer poses; a trajectory
    of one pose stands.
    """
    times_ns, every = trajectory.timestamps_ns.tolist(), [*trajectory.world_from_ego]
    if times_ns[0] > first_ns - OVERHANG_NS:
        beyond = _beyond(trajectory, 1, 0, times_ns[0] - (first_ns - OVERHANG_NS))
        times_ns, every = [first_ns - OVERHANG_NS, *times_ns], [beyond, *every]
    if times_ns[-1] < last_ns + OVERHANG_NS:
        beyond = _beyond(trajectory, -2, -1, last_ns + OVERHANG_NS - times_ns[-1])
        times_ns, every = [*times_ns, last_ns + OVERHANG_NS], [*every, beyond]
    return Trajectory(np.array(times_ns, dtype=np.int64), SE3Batch.stack(every))


def _beyond(trajectory: Trajectory, inner: int, outer: int, ahead_ns: int) -> SE3:
    """Returns world_from_ego beyond an outer pose, reached as the outer is from the inner one."""
    world_from_ego_at_outer = trajectory.world_from_ego[outer]
    if len(trajectory.timestamps_ns) == 1:
        return world_from_ego_at_outer
    gap_ns = abs(int(trajectory.timestamps_ns[outer]) - int(trajectory.timestamps_ns[inner]))
    share = ahead_ns / gap_ns
    world_from_ego_at_inner = trajectory.world_from_ego[inner]
    turn = SE3(world_from_ego_at_outer.rotation @ world_from_ego_at_inner.rotation.T, np.zeros(3))
    way_m = world_from_ego_at_outer.translation - world_from_ego_at_inner.translation
    further = SE3.from_rotation_vector(share * turn.rotation_vector_rad)
    return SE3(
        further.rotation @ world_from_ego_at_outer.rotation,
        world_from_ego_at_outer.translation + share * way_m,
    )
