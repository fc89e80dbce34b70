"""Automatic labels on disk, a folder a log: `labels.db`, `check.json`, and `run.json`."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from autolabel.candidates import candidates_of
from autolabel.confidence import wanting_a_look
from autolabel.config import Config
from autolabel.memory import forget_peak_memory, peak_memory_mb, search_for_new_garbage_alone
from autolabel.pipeline import Given, Proposal, label
from autolabel.records import (
    RUN_SCHEMA,
    fingerprint,
    read_record,
    same_hash,
    versions,
    write_record,
)
from autolabel.results import FINDINGS, LABELS, building, mend, with_locked, worked_on
from autolabel.together import Together, Trip, label_together
from autolabel.trips.told import changes, told
from fusion.checks.check import Checked, check
from fusion.checks.config import CheckConfig
from fusion.checks.facts import Watcher
from fusion.checks.queue import queue
from fusion.checks.told import as_json, summary
from fusion.edits import Group
from fusion.errors import StoreError
from fusion.ground import Ground
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.stages import measured, stage
from fusion.store import LabelStore


class Outcome(StrEnum):
    """What became of a log."""

    DONE = "done"
    UP_TO_DATE = "up to date"
    FAILED = "failed"


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """One log to be labelled into a folder.

    Attributes:
        log: the drive.
        given: what is known of it.
        folder: appears complete or not at all.
        networks: by what they do, the networks that `given` holds: name and hash of each file.
        rules: what the labels are held against before they are stored; they are not where None.
    """

    log: DriveLog
    given: Given
    folder: Path
    networks: Mapping[str, str] = field(default_factory=dict)
    rules: CheckConfig | None = None

    @property
    def fingerprint(self) -> str:
        """Of the input."""
        return fingerprint(self.log, self.given, self.networks)

    def trip(self) -> Trip:
        """With what a person has locked in an earlier result among the key frames."""
        keyframes = self.given.keyframes
        start = with_locked(keyframes or LabelSet(), self.folder)
        given = self.given if keyframes is None else replace(self.given, keyframes=start)
        return Trip(self.log, given, start)


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """What became of a log.

    Attributes:
        outcome: whether it was labelled now.
        proposal: what was proposed; None where it was there already.
        checked: what the rules say of it; None where it was there already, or nobody asked.
    """

    outcome: Outcome
    proposal: Proposal | None = None
    checked: Checked | None = None


def label_log(work: Work, config: Config, force: bool = False, progress: Progress | None = None) -> Labelled:
    """Labels one log.

    Where the folder already holds the result of the same input, settings and version, nothing is done; an
    older result is replaced, unless a person has worked on it. With `force` that one is replaced too: its
    locked annotations are kept, and its file stays beside the new one as `labels.previous.db`.

    Raises:
        StoreError: the folder holds another result that a person has worked on, and `force` was not given.
    """
    same = same_hash([work.fingerprint], config, work.rules)
    if _is_there(work, same, force):
        return Labelled(Outcome.UP_TO_DATE)
    clock = _Clock()
    with measured() as stages, search_for_new_garbage_alone():
        trip = work.trip()
        proposal = label(trip.log, trip.given, config, progress)
        checked = _write(work, trip, proposal, config, {"same": same}, clock, stages.spent_s, progress)
    return Labelled(Outcome.DONE, proposal, checked)


def label_trips(
    works: Sequence[Work], config: Config, force: bool = False, progress: Progress | None = None
) -> tuple[Outcome, Together | None]:
    """Labels drives through one street together, each into its folder; otherwise as `label_log`.

    Raises:
        StoreError: a folder holds another result that a person has worked on, and `force` was not given.
    """
    same = same_hash([work.fingerprint for work in works], config, works[0].rules)
    there = [_is_there(work, same, force) for work in works]
    if all(there):
        return Outcome.UP_TO_DATE, None
    clock = _Clock()
    with measured() as stages:
        trips = [work.trip() for work in works]
        together = label_together(trips, config, progress)
        changed = changes([trip.log for trip in trips], together.findings)
        for k, (work, trip, proposal) in enumerate(zip(works, trips, together.proposals, strict=True)):
            if not there[k]:
                said = told(together.alignment.trips[k], proposal.edits, together.findings, changed)
                more = {"same": same, "trips": said}
                _write(work, trip, proposal, config, more, clock, stages.spent_s, progress)
    return Outcome.DONE, together


def _is_there(work: Work, same: str, force: bool) -> bool:
    mend(work.folder)
    before = read_record(work.folder)
    if before and not force and before.get("same") == same:
        return True
    if work.folder.exists() and not force:
        if before is None:
            raise StoreError(f"{work.folder}: holds no labels that autolabel made; --force replaces it")
        if worked_on(work.folder):
            raise StoreError(
                f"{work.folder}: a person has worked on its labels, which were made from other input or "
                "settings; --force replaces them, and keeps what is locked"
            )
    return False


def _write(
    work: Work,
    trip: Trip,
    proposal: Proposal,
    config: Config,
    more: Mapping[str, object],
    clock: _Clock,
    stages_s: Mapping[str, float],
    progress: Progress | None,
) -> Checked | None:
    """Puts the whole folder in place, and returns what the rules say of the labels."""
    with building(work.folder) as made:
        with stage("store"):
            labels = _stored(made, trip, proposal)
        checked = None if work.rules is None else checked_labels(work, labels, progress, proposal.grounds)
        record = _record(work, trip, labels, proposal, config)
        if checked is not None:
            items = queue(checked.findings)
            record["checks"] = summary(work.log, checked, items)
            findings = json.dumps(as_json(work.log, checked, items))
            (made / FINDINGS).write_text(findings + "\n", encoding="utf-8")
        write_record(made, {**record, **more, **clock.record(stages_s)})
    return checked


def _stored(folder: Path, trip: Trip, proposal: Proposal) -> LabelSet:
    """Writes labels.db and returns what it holds; on a local disk first, as the store wants it."""
    with tempfile.TemporaryDirectory(prefix="crosslabel-") as local:
        path = Path(local) / LABELS
        with LabelStore.create(path, trip.log.name, trip.start, author="crosslabel") as store:
            store.apply(Group(proposal.edits, "Automatic labels"), author="crosslabel", automatic=True)
            labels = store.labels
        shutil.copyfile(path, folder / LABELS)
    return labels


def checked_labels(
    work: Work,
    labels: LabelSet,
    progress: Progress | None = None,
    grounds: Mapping[int, Ground] | None = None,
) -> Checked:
    """Labels against the rules; scans are searched for what has no label, where they were not before."""
    searched = work.given.keyframes is None and work.given.detections is None
    can_search = not searched and any(work.log.sweeps.values())

    def search(watcher: Watcher) -> LabelSet:
        return candidates_of(work.log, progress=progress, watcher=watcher)

    with stage("check"):
        return check(
            work.log,
            labels,
            work.rules,
            candidates=search if can_search else None,
            grounds=grounds,
            progress=progress,
        )


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
        forget_peak_memory()
        self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()

    def record(self, stages_s: Mapping[str, float]) -> dict[str, object]:
        """Seconds since it was made, and how many of them went into which stage."""
        wall_s, cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s
        told_s = {name: round(spent_s, 4) for name, spent_s in stages_s.items()}
        told_s["else"] = round(max(cpu_s - sum(told_s.values()), 0.0), 4)
        return {"timings_s": {"wall": round(wall_s, 3), "cpu": round(cpu_s, 3)}, "stages_s": told_s}
