"""Timestamps that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.doctor.finding import Finding
from calib.types import I64
from fusion.log import DriveLog

UNITS = (("microseconds", 1_000), ("milliseconds", 1_000_000))
SLOWEST_NS, FASTEST_NS = 3_000_000_000, 5_000_000
MOST_UNCOVERED = 0.2
FARTHEST_IMAGE_NS = 1_000_000_000


def check_times(log: DriveLog) -> list[Finding]:
    """Units, order and cover of all timestamps; no data are read."""
    return [*_frames(log), *_images(log)]


def _frames(log: DriveLog) -> Iterator[Finding]:
    times_ns = log.timestamps_ns
    falls = np.flatnonzero(np.diff(times_ns) <= 0)
    if len(falls):
        message = f"the times of the frames do not rise: frame {falls[0] + 1} is not after frame {falls[0]}"
        yield Finding(
            "timestamps_not_rising", "log", "wrong", message, "sort the frames, or mend their times"
        )
        return
    lidar = log.rig.main_lidar
    yield from _unit(times_ns, "log" if lidar is None else lidar.name, "sweeps")


def _unit(times_ns: I64, sensor: str, what: str) -> Iterator[Finding]:
    if len(times_ns) < 3:
        return
    step_ns = float(np.median(np.diff(times_ns)))
    if step_ns > FASTEST_NS:
        return
    for unit, factor in UNITS:
        if FASTEST_NS <= step_ns * factor <= SLOWEST_NS:
            yield Finding(
                "timestamps_unit",
                sensor,
                "wrong",
                f"{sensor}: its {what} lie {step_ns:.0f} ns apart: the timestamps are in {unit} and were "
                "taken as nanoseconds",
                f"multiply the timestamps by {factor:,}",
                evidence={"step_ns": step_ns, "factor": float(factor)},
            )
            return


def _images(log: DriveLog) -> Iterator[Finding]:
    frames_ns = log.timestamps_ns
    for camera, refs in log.images.items():
        times_ns = np.array([ref.timestamp_ns for ref in refs], dtype=np.int64)
        if len(times_ns) == 0:
            continue
        twice = np.flatnonzero(np.diff(times_ns) == 0)
        if len(twice):
            message = f"{camera}: {len(twice)} of its images have the timestamp of another one"
            yield Finding("timestamps_not_rising", camera, "wrong", message, "give every image its own time")
            continue
        unit = list(_unit(times_ns, camera, "images"))
        yield from unit
        if unit:
            continue
        outside = (times_ns < log.trajectory.start_ns) | (times_ns > log.trajectory.end_ns)
        apart_ns = np.abs(times_ns[:, None] - frames_ns[None]).min(axis=1) if len(frames_ns) else times_ns * 0
        if (apart_ns > FARTHEST_IMAGE_NS).mean() > 0.5:
            seconds = float(np.median(apart_ns)) / 1e9
            message = f"{camera}: its images lie {seconds:,.1f} s from the sweeps: the clocks differ"
            yield Finding(
                "clocks_differ", camera, "wrong", message, "shift its timestamps to the LiDAR's clock"
            )
        elif outside.mean() > MOST_UNCOVERED:
            message = f"{camera}: {outside.mean():.0%} of its images were taken outside of the trajectory"
            mend = "give poses for that time, or mend the timestamps"
            yield Finding("images_outside_trajectory", camera, "suspicious", message, mend)
