"""Automatic labels on disk, a folder a log: `labels.db`, and `run.json` that says how they came about."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from autolabel.confidence import wanting_a_look
from autolabel.config import Config
from autolabel.pipeline import Given, Proposal, label
from autolabel.records import (
    RUN_SCHEMA,
    fingerprint,
    peak_memory_mb,
    read_record,
    same_hash,
    versions,
    write_record,
)
from autolabel.together import Together, Trip, label_together
from autolabel.trips.told import changes, told
from fusion.edits import Group
from fusion.errors import StoreError
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.store import LabelStore


class Outcome(StrEnum):
    """What became of a log."""

    DONE = "done"
    UP_TO_DATE = "up to date"


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """One log to be labelled into a folder.

    Attributes:
        log: the drive.
        given: what is known of it.
        folder: appears complete or not at all.
        networks: by what they do, the networks that `given` holds: name and hash of each file.
    """

    log: DriveLog
    given: Given
    folder: Path
    networks: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Of the input."""
        return fingerprint(self.log, self.given, self.networks)

    def trip(self) -> Trip:
        """With what a person has locked in an earlier result among the key frames."""
        keyframes = self.given.keyframes
        start = _with_locked(keyframes or LabelSet(), self.folder / "labels.db")
        given = self.given if keyframes is None else replace(self.given, keyframes=start)
        return Trip(self.log, given, start)


def label_log(
    work: Work, config: Config, force: bool = False, progress: Progress | None = None
) -> tuple[Outcome, Proposal | None]:
    """Labels one log.

    Where the folder already holds the result of the same input, config and version, nothing is done.
    With `force` an older result is replaced: its locked annotations are kept, and its file stays beside
    the new one as `labels.previous.db`. Also returns what was proposed, where it was not there already.

    Raises:
        StoreError: the folder holds another result, and `force` was not given.
    """
    same = same_hash([work.fingerprint], config)
    if _is_there(work, same, force):
        return Outcome.UP_TO_DATE, None
    trip, clock = work.trip(), _Clock()
    proposal = label(trip.log, trip.given, config, progress)
    _write(work, trip, proposal, config, {"same": same, **clock.record()})
    return Outcome.DONE, proposal


def label_trips(
    works: Sequence[Work], config: Config, force: bool = False, progress: Progress | None = None
) -> tuple[Outcome, Together | None]:
    """Labels drives through one street together, each into its folder; otherwise as `label_log`.

    Raises:
        StoreError: a folder holds another result, and `force` was not given.
    """
    same = same_hash([work.fingerprint for work in works], config)
    there = [_is_there(work, same, force) for work in works]
    if all(there):
        return Outcome.UP_TO_DATE, None
    trips, clock = [work.trip() for work in works], _Clock()
    together = label_together(trips, config, progress)
    changed = changes([trip.log for trip in trips], together.findings)
    spent = clock.record()
    for k, (work, trip, proposal) in enumerate(zip(works, trips, together.proposals, strict=True)):
        said = told(together.alignment.trips[k], proposal.edits, together.findings, changed)
        if not there[k]:
            _write(work, trip, proposal, config, {"same": same, **spent, "trips": said})
    return Outcome.DONE, together


def _is_there(work: Work, same: str, force: bool) -> bool:
    before = read_record(work.folder)
    if before and not force and before.get("same") == same:
        return True
    if work.folder.exists() and not force:
        raise StoreError(
            f"{work.folder}: holds labels made from other input or settings; --force replaces them"
        )
    return False


def _write(work: Work, trip: Trip, proposal: Proposal, config: Config, more: Mapping[str, object]) -> None:
    """Puts the whole folder in place."""
    building = work.folder.with_name(f".{work.folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        with LabelStore.create(
            building / "labels.db", trip.log.name, trip.start, author="crosslabel"
        ) as store:
            store.apply(Group(proposal.edits, "Automatic labels"), author="crosslabel", automatic=True)
            labels = store.labels
        write_record(building, {**_record(work, trip, labels, proposal, config), **more})
        _put_in_place(building, work.folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _record(
    work: Work, trip: Trip, labels: LabelSet, proposal: Proposal, config: Config
) -> dict[str, object]:
    keyframes, (looks, made) = trip.given.keyframes, wanting_a_look(proposal.traced)
    return {
        "schema": RUN_SCHEMA,
        "log": work.log.name,
        "input_fingerprint": work.fingerprint,
        "config_hash": config.hash(),
        "config": config.model_dump(mode="json"),
        "versions": versions(),
        "networks": dict(work.networks),
        "keyframes_ns": keyframes.timestamps_ns() if keyframes is not None else [],
        "counts": {
            "frames": len(work.log),
            "tracks": len(labels.tracks),
            "boxes": labels.annotation_count,
            "made": made,
            "want_a_look": looks,
            "missing_frames": len(work.log.missing),
        },
        "ego": None if proposal.ego is None else [span.words for span in proposal.ego.spans],
        "peak_memory_mb": peak_memory_mb(),
    }


class _Clock:
    def __init__(self) -> None:
        self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()

    def record(self) -> dict[str, object]:
        """Seconds since it was made."""
        wall_s, cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s
        return {"timings_s": {"wall": round(wall_s, 3), "cpu": round(cpu_s, 3)}}


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
