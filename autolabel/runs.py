"""One log's automatic labels on disk: `labels.db`, and `run.json` that says how they came about."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from autolabel.config import Config
from autolabel.pipeline import Given, Proposal, label
from fusion.edits import Group
from fusion.errors import StoreError
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.store import LabelStore

RUN_SCHEMA = 1
LIBRARIES = ("crosslabel", "numpy", "scipy", "numba")


class Outcome(StrEnum):
    """What became of a log."""

    DONE = "done"
    UP_TO_DATE = "up to date"


def label_log(
    log: DriveLog,
    given: Given,
    folder: Path,
    config: Config,
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Outcome, Proposal | None]:
    """Labels one log into `folder`, which appears complete or not at all.

    Where the folder already holds the result of the same input, config and version, nothing is done.
    With `force` an older result is replaced: its locked annotations are kept, and its file stays beside
    the new one as `labels.previous.db`. Also returns what was proposed, where it was not there already.

    Raises:
        StoreError: the folder holds another result, and `force` was not given.
    """
    fingerprint = _fingerprint(log, given)
    before = _earlier_run(folder)
    if before and not force and before.get("same") == _same(fingerprint, config):
        return Outcome.UP_TO_DATE, None
    if folder.exists() and not force:
        raise StoreError(f"{folder}: holds labels made from other input or settings; --force replaces them")
    start = _with_locked(LabelSet() if given.keyframes is None else given.keyframes, folder / "labels.db")
    started_s, cpu_started_s = time.perf_counter(), time.process_time()
    if given.keyframes is not None:
        given = replace(given, keyframes=start)
    proposal = label(log, given, config, progress)
    building = folder.with_name(f".{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        with LabelStore.create(building / "labels.db", log.name, start, author="crosslabel") as store:
            store.apply(Group(proposal.edits, "Automatic labels"), author="crosslabel", automatic=True)
            labels = store.labels
        record = {
            "schema": RUN_SCHEMA,
            "log": log.name,
            "same": _same(fingerprint, config),
            "input_fingerprint": fingerprint,
            "config_hash": config.hash(),
            "config": config.model_dump(mode="json"),
            "versions": _versions(),
            "keyframes_ns": given.keyframes.timestamps_ns() if given.keyframes is not None else [],
            "counts": {
                "frames": len(log),
                "tracks": len(labels.tracks),
                "boxes": labels.annotation_count,
                "missing_frames": len(log.missing),
            },
            "ego": None if proposal.ego is None else [span.words for span in proposal.ego.spans],
            "timings_s": {
                "wall": round(time.perf_counter() - started_s, 3),
                "cpu": round(time.process_time() - cpu_started_s, 3),
            },
            "peak_memory_mb": _peak_memory_mb(),
        }
        (building / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        _put_in_place(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return Outcome.DONE, proposal


def _put_in_place(building: Path, folder: Path) -> None:
    if not folder.exists():
        building.rename(folder)
        return
    if (folder / "labels.db").exists():
        shutil.copy2(folder / "labels.db", building / "labels.previous.db")
    aside = folder.with_name(f".{folder.name}.replaced")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    building.rename(folder)
    shutil.rmtree(aside)


def _with_locked(labels: LabelSet, path: Path) -> LabelSet:
    """Labels with the locked annotations of an earlier result put in: they are key frames too."""
    if not path.exists():
        return labels
    with LabelStore.open(path, read_only=True) as store:
        earlier = store.labels
    for track in earlier.tracks.values():
        locked = [annotation for annotation in track.annotations.values() if annotation.locked]
        if locked:
            known = labels.tracks.get(track.id, replace(track, annotations={}))
            labels = labels.with_track(known.with_annotations(locked))
    return labels


def _peak_memory_mb() -> int | None:
    """Largest resident size of this process so far; None on Windows, which has no such count."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)


def _earlier_run(folder: Path) -> dict[str, object] | None:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and (folder / "labels.db").exists() else None


def _same(fingerprint: str, config: Config) -> str:
    """One hash of all that decides the result."""
    parts = [str(RUN_SCHEMA), fingerprint, config.hash(), json.dumps(_versions())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "source"
    return found


def _files(log: DriveLog) -> Iterator[tuple[int, Path | None]]:
    for sweeps in log.sweeps.values():
        yield from ((ref.timestamp_ns, ref.path) for ref in sweeps)
    for images in log.images.values():
        yield from ((ref.timestamp_ns, ref.path) for ref in images)


def _fingerprint(log: DriveLog, given: Given) -> str:
    """A hash of the log's index, calibration and trajectory, of its files' sizes, and of what was given."""
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
    return digest.hexdigest()[:16]
