"""A log of Argoverse 2's sensor data set (Wilson et al., 2021) opened.

A sweep file holds the points of both LiDARs, lasers 0 to 31 of the upper and 32 to 63 of the lower one,
in half floats, where the car at the timestamp of the sweep would see them. The two meet the same place half
a revolution apart, so each is a LiDAR of its own here. In files of our writer that hold other LiDARs a
column tells that of each point, and a note in the head of the file what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from calib.errors import CalibrationError
from calib.rig import Rig
from calib.se3 import SE3
from calib.types import I64, Bools
from formats.argoverse2.beside import Beside, read_beside
from formats.argoverse2.folder import (
    ANNOTATIONS,
    BESIDE,
    IMAGES,
    POSES,
    SWEEPS,
    log_folder,
    logs,
    timed_files,
)
from formats.argoverse2.labels import PLACE, QUATERNION, TIME
from formats.argoverse2.sweeps import LASERS, MEASURED
from formats.argoverse2.tables import PREFIX, Table
from formats.errors import FormatError
from formats.fields import Field
from formats.images import read_rgb
from formats.rigs.argoverse2 import read_argoverse2
from formats.rigs.rig_json import FILE_NAME as RIG_FILE
from formats.rigs.rig_json import read_rig
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

LIDAR_COLUMN, OWN = f"{PREFIX}lidar", f"{PREFIX}own"
METADATA = {"format": "argoverse2", "attribution": "Argoverse 2 by Argo AI"}
MOST_OFFSET_NS, MOST_LASERS, FARTHEST_M = 1_000_000_000, 1 << 24, 1e6


def recognises(path: Path) -> bool:
    """Whether a path is a log or a folder of logs."""
    try:
        return bool(logs(path))
    except OSError:
        return False


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a log: no points and no images are read; sweeps or images may be missing.

    Its frames are its sweeps and what is annotated without one.

    Raises:
        FormatError: calibration or poses are missing or malformed, or nothing says when its frames are.
    """
    folder = log_folder(path, log_id)
    beside, rig = read_beside(folder), _rig(folder)
    sweeps = timed_files(folder / SWEEPS, (".feather",))
    annotated_ns = _annotated_ns(folder / ANNOTATIONS)
    frames_ns = sorted((beside.frames_ns if beside else sweeps.keys()) | annotated_ns)
    if not frames_ns:
        raise FormatError(folder, "", "has neither sweeps nor annotations")
    missing = beside.missing if beside else tuple(_missing(sweeps, annotated_ns, rig))
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=_read_trajectory(folder / POSES),
        timestamps_ns=np.array(frames_ns, dtype=np.int64),
        sweeps=_all_sweeps(sweeps, rig, beside),
        images={name: refs for name in rig.cameras if (refs := tuple(_images(folder, name, rig)))},
        missing=missing,
        metadata=beside.metadata if beside else METADATA,
    )


def _rig(folder: Path) -> Rig:
    """The sensors as our writer noted them; else those of the tables, the upper LiDAR first."""
    if (folder / BESIDE / RIG_FILE).is_file():
        return read_rig(folder / BESIDE / RIG_FILE).rig
    rig = read_argoverse2(folder)
    for name in LASERS:
        if name not in rig.lidars:
            raise FormatError(folder / "calibration", "", f"without the place of {name}")
    return Rig.of(tuple(rig.lidars[name] for name in LASERS), tuple(rig.cameras.values()))


def _annotated_ns(file: Path) -> set[int]:
    return set(Table(file).whole(TIME).tolist()) if file.is_file() else set()


def _read_trajectory(file: Path) -> Trajectory:
    """The log's own poses; our writer adds those at the instants of readings."""
    table = Table(file)
    own = table.flags(OWN) if OWN in table.names else np.ones(len(table), dtype=np.bool_)
    world_from_ego = table.poses(QUATERNION, PLACE).take(own)
    try:
        return Trajectory(table.whole(TIME)[own], world_from_ego)
    except CalibrationError as error:
        raise FormatError(file, "", str(error)) from None


def _all_sweeps(files: dict[int, Path], rig: Rig, beside: Beside | None) -> dict[str, tuple[SweepRef, ...]]:
    absent_ns = beside.absent_ns if beside else {}
    found = {}
    for name, lidar in rig.lidars.items():
        there = {t: path for t, path in files.items() if t not in absent_ns.get(name, ())}
        found[name] = tuple(
            SweepRef(name, t, partial(_read_sweep, path, name, t, lidar.ego_from_sensor), path)
            for t, path in there.items()
        )
    return {name: refs for name, refs in found.items() if refs}


def _images(folder: Path, camera: str, rig: Rig) -> Iterator[ImageRef]:
    model = rig.cameras[camera].model
    size_px = (model.width_px, model.height_px)
    for timestamp_ns, path in timed_files(folder / IMAGES / camera, (".jpg", ".png")).items():
        yield ImageRef(camera, timestamp_ns, partial(read_rgb, path, size_px), path)


def _missing(sweeps: dict[int, Path], annotated_ns: set[int], rig: Rig) -> Iterator[MissingFrame]:
    for timestamp_ns in sorted(annotated_ns - sweeps.keys()) if sweeps else ():
        for name in rig.lidars:
            yield MissingFrame(name, timestamp_ns, f"no file {SWEEPS}/{timestamp_ns}.feather")


def _read_sweep(path: Path, lidar: str, timestamp_ns: int, ego_from_lidar: SE3) -> Sweep:
    """The points of one LiDAR, out of the ego frame and back into the frame of the sensor."""
    table = Table(path)
    lasers, offset_ns = table.whole("laser_number"), table.whole("offset_ns")
    if max(offset_ns.max(initial=0), -int(offset_ns.min(initial=0))) > MOST_OFFSET_NS:
        raise FormatError(path, "offset_ns", "a point was measured more than a second from its sweep")
    own, first, stamps, measured = _share(table, lidar, lasers)
    points_ego = table.numbers("xyz")[own]
    with np.errstate(over="ignore"):
        intensity = table.numbers(("intensity",))[own, 0].astype(np.float32)
    if np.abs(points_ego).max(initial=0) > FARTHEST_M:
        raise FormatError(path, "", "a point farther away than any LiDAR sees")
    if (
        max(lasers.max(initial=0), -int(lasers.min(initial=0))) > MOST_LASERS
        or not np.isfinite(intensity).all()
    ):
        raise FormatError(path, "", "a laser or an intensity that cannot be")
    return Sweep(
        lidar=lidar,
        timestamp_ns=timestamp_ns,
        points=ego_from_lidar.inverse().cloud(points_ego),
        intensity=intensity if "intensity" in measured else None,
        ring=(lasers[own] - first).astype(np.int32) if "ring" in measured else None,
        offset_ns=offset_ns[own].astype(np.int32) if "offset_ns" in measured else None,
        stamps=stamps,
        deskewed=True,
    )


def _share(table: Table, lidar: str, lasers: I64) -> tuple[Bools, int, Literal["start", "end"], set[str]]:
    """Which points are of a LiDAR, the first of its lasers, what its sweeps stamp, and what was measured."""
    if LIDAR_COLUMN in table.names:
        place, entry = _noted(table, lidar)
        measured = {part.text() for part in entry["measured"].entries()}
        stamps: Literal["start", "end"] = "end" if entry["stamps"].text() == "end" else "start"
        return table.whole(LIDAR_COLUMN) == place, _first_laser(entry), stamps, measured
    if lidar not in LASERS:
        raise FormatError(table.path, "", f"nothing tells which points are of {lidar!r}")
    if len(table) and not 0 <= lasers.min() <= lasers.max() < max(last for _, last in LASERS.values()):
        raise FormatError(table.path, "laser_number", "a laser that neither LiDAR has")
    first, last = LASERS[lidar]
    return (lasers >= first) & (lasers < last), 0, "start", set(MEASURED)


def _noted(table: Table, lidar: str) -> tuple[int, Field]:
    note = table.note
    if note is None:
        raise FormatError(table.path, "", "without the note that tells its LiDARs")
    for place, entry in enumerate(note["lidars"].entries()):
        if entry["name"].text() == lidar:
            return place, entry
    raise note["lidars"].error(f"without points of {lidar!r}")


def _first_laser(entry: Field) -> int:
    first = entry["first_laser"].whole()
    if not 0 <= first <= MOST_LASERS:
        raise entry["first_laser"].error("a laser that cannot be")
    return first
