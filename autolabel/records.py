"""`run.json`: how the labels beside it came about, and whether they still are what would come out."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from autolabel.config import Config
from autolabel.pipeline import Given
from fusion.checks.config import CheckConfig
from fusion.log import DriveLog

FILE_NAME = "run.json"
RUN_SCHEMA = 3
LIBRARIES = ("crosslabel", "numpy", "scipy", "numba")


def read_record(folder: Path) -> dict[str, object] | None:
    """What an earlier run says of the labels in a folder; None where there are none."""
    try:
        record = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and (folder / "labels.db").exists() else None


def write_record(folder: Path, record: Mapping[str, object]) -> None:
    """Writes run.json."""
    (folder / FILE_NAME).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def same_hash(fingerprints: list[str], config: Config, rules: CheckConfig | None = None) -> str:
    """One hash of all that decides a result."""
    asked = "" if rules is None else rules.model_dump_json()
    parts = [str(RUN_SCHEMA), *fingerprints, config.hash(), asked, json.dumps(versions())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Of Python and of what decides the last digits."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "source"
    return found


def fingerprint(log: DriveLog, given: Given, networks: Mapping[str, str]) -> str:
    """A hash of a log's index, calibration and trajectory, of its files' sizes, and of what was given."""
    digest = hashlib.sha256()
    digest.update(log.name.encode())
    for array in (log.timestamps_ns, log.trajectory.timestamps_ns):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(log.trajectory.world_from_ego.rotations.tobytes())
    digest.update(log.trajectory.world_from_ego.translations.tobytes())
    for lidar in log.rig.lidars.values():
        digest.update(lidar.name.encode() + lidar.ego_from_sensor.matrix.tobytes())
    for camera in log.rig.cameras.values():
        digest.update(camera.name.encode() + camera.ego_from_sensor.matrix.tobytes())
        digest.update(camera.model.row.tobytes())
    for timestamp_ns, path in _files(log):
        size = path.stat().st_size if path is not None and path.exists() else 0
        digest.update(f"{timestamp_ns} {size}".encode())
    for labels in (given.keyframes, given.detections):
        digest.update(b"|")
        for track in labels.tracks.values() if labels is not None else ():
            digest.update(f"{track.id} {track.category}".encode())
            for t, annotation in track.annotations.items():
                box = annotation.box
                digest.update(f"{t} {annotation.score} {annotation.locked}".encode())
                digest.update(box.ego_from_box.matrix.tobytes() + box.size_lwh_m.tobytes())
    for name, network in networks.items():
        digest.update(f"{name} {network}".encode())
    return digest.hexdigest()[:16]


def _files(log: DriveLog) -> Iterator[tuple[int, Path | None]]:
    for sweeps in log.sweeps.values():
        yield from ((ref.timestamp_ns, ref.path) for ref in sweeps)
    for images in log.images.values():
        yield from ((ref.timestamp_ns, ref.path) for ref in images)
