"""The way of the car, out of whatever tells of it: transforms, odometry, poses, or fixes and an Imu.

A fix (latitude phi, longitude lambda, height h) lies at

    N = a / sqrt(1 - e2 sin(phi)^2)
    (X, Y, Z) = ((N + h) cos(phi) cos(lambda), (N + h) cos(phi) sin(lambda), (N (1 - e2) + h) sin(phi))

of the earth (WGS 84: a = 6378137 m, f = 1 / 298.257223563, e2 = f (2 - f)). The world is the plane that
touches it at the first fix: x east, y north, z up. With east, north and up as rows of `enu_from_earth`,
`place = enu_from_earth @ (XYZ - XYZ_first)`. The Imu turns the car: its orientation is that of its frame
against east, north and up (REP 103), interpolated at the instants of the fixes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64
from formats.errors import FormatError
from formats.recording.decode import stamp_ns
from fusion.trajectory import Trajectory

SEMI_MAJOR_M, FLATTENING = 6378137.0, 1 / 298.257223563
ECCENTRICITY2 = FLATTENING * (2 - FLATTENING)
SLOW_M = 0.5
FARTHEST = 1e8
Row = tuple[float, ...]


def pose_row(message: Any) -> tuple[int, Row]:
    """Instant and wxyz xyz of Odometry, PoseStamped, PoseWithCovarianceStamped or PoseInFrame.

    Raises:
        ValueError: a time that cannot be.
    """
    body = message.pose.pose if hasattr(message.pose, "pose") else message.pose
    turn, place = body.orientation, body.position
    row = (turn.w, turn.x, turn.y, turn.z, place.x, place.y, place.z)
    return stamp_ns(message), tuple(float(number) for number in row)


def fix_row(message: Any) -> tuple[int, Row]:
    """Instant and latitude, longitude (degrees) and height (m) of a fix; NaN where there was none.

    Raises:
        ValueError: a time that cannot be.
    """
    status = getattr(getattr(message, "status", None), "status", 0)
    row = (message.latitude, message.longitude, message.altitude)
    if status < 0 or not any(row[:2]):
        row = (np.nan, np.nan, np.nan)
    return stamp_ns(message), tuple(float(number) for number in row)


def turn_row(message: Any) -> tuple[int, Row]:
    """Instant and wxyz of an Imu; NaN where it says that it knows no orientation.

    Raises:
        ValueError: a time that cannot be.
    """
    turn = message.orientation
    known = float(message.orientation_covariance[0]) != -1.0
    row = (turn.w, turn.x, turn.y, turn.z) if known else (np.nan,) * 4
    return stamp_ns(message), tuple(float(number) for number in row)


def table_of(rows: Iterable[tuple[int, Row]], width: int) -> tuple[I64, F64]:
    """Instants, rising, and (N, width) finite numbers; of two at one instant the later message counts."""
    by_time = {t: row for t, row in rows if np.isfinite(row).all() and max(map(abs, row)) < FARTHEST}
    times_ns: I64 = np.array(sorted(by_time), dtype=np.int64)
    values: F64 = np.array([by_time[t] for t in sorted(by_time)], dtype=np.float64).reshape(-1, width)
    return times_ns, values


def from_poses(path: Path, topic: str, rows: Iterable[tuple[int, Row]], body_from_ego: SE3) -> Trajectory:
    """The way in poses of a body of the car.

    Raises:
        FormatError: no pose that can be.
    """
    times_ns, table = table_of(rows, 7)
    fit = np.abs(np.linalg.norm(table[:, :4], axis=1) - 1) < 0.01
    if not fit.any():
        raise FormatError(path, topic, "holds no pose with a quaternion of length 1")
    try:
        world_from_body = SE3Batch.from_quaternions_wxyz(table[fit, :4], table[fit, 4:])
        return Trajectory(times_ns[fit], world_from_body @ body_from_ego)
    except CalibrationError as error:
        raise FormatError(path, topic, str(error)) from None


def from_fixes(
    path: Path,
    topic: str,
    fixes: Iterable[tuple[int, Row]],
    turns: Iterable[tuple[int, Row]],
    ego_from_antenna: SE3,
    imu_from_ego: SE3,
) -> Trajectory:
    """The way in fixes, turned by an Imu; by the direction of travel where there is none.

    Raises:
        FormatError: too few fixes, or none while the Imu tells.
    """
    times_ns, table = table_of(fixes, 3)
    if len(times_ns) < 2 or np.abs(table[:, 0]).max() > 90:
        raise FormatError(path, topic, f"{len(times_ns)} fixes: a trajectory needs two that can be")
    places_enu = enu(table)
    turn_times_ns, turns_wxyz = table_of(turns, 4)
    fit = np.abs(np.linalg.norm(turns_wxyz, axis=1) - 1) < 0.01
    if fit.any():
        still = np.zeros((int(fit.sum()), 3))
        enu_from_imu = SE3Batch.from_quaternions_wxyz(turns_wxyz[fit], still)
        knots = Trajectory(turn_times_ns[fit], enu_from_imu @ SE3(imu_from_ego.rotation, np.zeros(3)))
        inside = (times_ns >= knots.start_ns) & (times_ns <= knots.end_ns)
        if not inside.any():
            raise FormatError(path, topic, "no fix falls into the time of the Imu")
        times_ns, places_enu = times_ns[inside], places_enu[inside]
        rotations = knots.at_many(times_ns).rotations
    else:
        rotations = _headings(places_enu)
    lever = rotations @ ego_from_antenna.translation
    return Trajectory(times_ns, SE3Batch(rotations, places_enu - lever))


def enu(fixes: F64) -> F64:
    """(N, 3) latitude, longitude (degrees) and height (m) to metres east, north and up of the first."""
    phi, lam = np.radians(fixes[:, 0]), np.radians(fixes[:, 1])
    normal_m = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY2 * np.sin(phi) ** 2)
    out_m = (normal_m + fixes[:, 2]) * np.cos(phi)
    earth: F64 = np.column_stack(
        [
            out_m * np.cos(lam),
            out_m * np.sin(lam),
            (normal_m * (1 - ECCENTRICITY2) + fixes[:, 2]) * np.sin(phi),
        ]
    )
    sp, cp, sl, cl = np.sin(phi[0]), np.cos(phi[0]), np.sin(lam[0]), np.cos(lam[0])
    enu_from_earth = np.array([[-sl, cl, 0.0], [-sp * cl, -sp * sl, cp], [cp * cl, cp * sl, sp]])
    return np.asarray((earth - earth[0]) @ enu_from_earth.T, dtype=np.float64)


def _headings(places: F64) -> F64:
    """(N, 3, 3) level turns along the way; where the car hardly moves it keeps its last direction."""
    yaws_rad = np.full(len(places), np.nan)
    for k in range(len(places)):
        ahead = places[min(k + 1, len(places) - 1)] - places[max(k - 1, 0)]
        if np.hypot(*ahead[:2]) > SLOW_M:
            yaws_rad[k] = np.arctan2(ahead[1], ahead[0])
    known = np.flatnonzero(np.isfinite(yaws_rad))
    if len(known):
        last = np.maximum.accumulate(np.where(np.isfinite(yaws_rad), np.arange(len(places)), known[0]))
        yaws_rad = yaws_rad[last]
    else:
        yaws_rad[:] = 0.0
    return SE3Batch.stack(map(SE3.from_yaw, yaws_rad)).rotations
