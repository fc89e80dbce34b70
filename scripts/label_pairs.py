"""Opening two label sets of one log, with or without the log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from formats.errors import FormatError
from formats.format import Format
from formats.labels_db import LABELS_DB, files_by_log
from formats.registry import find_format
from fusion.agreement import Given, Tolerance
from fusion.labels import LabelSet
from fusion.log import DriveLog
from scripts.console import note
from scripts.logs import LogAt, chosen_ids, labels_of


@dataclass(frozen=True, slots=True)
class Opened:
    """Label sets of one log.

    Attributes:
        log_name: of the log.
        log: what it measured, where it was named or lies with the labels.
        given: the sets, in the order of their paths.
        files: the files of labels that they were read from.
    """

    log_name: str
    log: DriveLog | None
    given: list[Given]
    files: list[Path]

    def require_other(self, path: Path) -> None:
        """FormatError where a path is one of the files that were read."""
        if path.resolve() in self.files:
            raise FormatError(path, "", "is one of the labels that are read; name another file")


def open_sets(paths: Sequence[Path], log_path: Path | None = None, log_id: str | None = None) -> Opened:
    """Label sets of one log from files or folders of any format that holds labels.

    A labels.db says itself which log it belongs to. Other formats need the log: the one that is named, or
    the one that lies with such labels.

    Args:
        paths: of the label sets.
        log_path: of the log or its data set.
        log_id: which log, where there are several.

    Raises:
        FormatError: no labels, of different logs, or of several and none is named.
        StoreError: a labels.db cannot be read.
    """
    sources = [find_format(path) for path in paths]
    own = [path for path, source in zip(paths, sources, strict=True) if source is LABELS_DB]
    wanted = _common_log(own, log_id)
    log = _log(paths, sources, log_path, wanted)
    name = wanted if log is None else log.name
    assert name is not None  # without a log there are only labels.db, which say it
    given = [_read(path, source, name, log) for path, source in zip(paths, sources, strict=True)]
    _require_same_frames(paths, given, log)
    files = [files_by_log(path)[name].resolve() for path in own]
    return Opened(name, log, _told_apart(given), files)


def _common_log(paths: list[Path], wanted: str | None) -> str | None:
    """The one log that all labels.db under some paths hold labels of; None where there is no path."""
    if not paths:
        return wanted
    listed = [files_by_log(path) for path in paths]
    for path, logs in zip(paths, listed, strict=True):
        if wanted is not None and wanted not in logs:
            raise FormatError(path, "", f"holds no labels of log {wanted!r}, but of {_some(logs)}")
    if wanted is not None:
        return wanted
    common = sorted(set.intersection(*(set(logs) for logs in listed)))
    if not common:
        other = f"while {paths[0]} holds those of {_some(listed[0])}"
        raise FormatError(paths[-1], "", f"holds labels of log {_some(listed[-1])}, {other}")
    if len(common) > 1:
        raise FormatError(
            paths[0], "", f"labels of {len(common)} logs, name one with --log-id: {_some(common)}"
        )
    return common[0]


def _some(names: Sequence[str] | dict[str, Path]) -> str:
    listed = list(names)
    return ", ".join(repr(name) for name in listed[:5]) + (", ..." if len(listed) > 5 else "")


def _log(
    paths: Sequence[Path], sources: Sequence[Format], log_path: Path | None, wanted: str | None
) -> DriveLog | None:
    """The log that is named, or else the one that lies with labels that are no labels.db."""
    if log_path is None:
        needing = [path for path, source in zip(paths, sources, strict=True) if source is not LABELS_DB]
        if not needing:
            return None
        log_path = needing[0]
    source = find_format(log_path)
    ids = chosen_ids(source, log_path, [wanted] if wanted else None)
    if len(ids) > 1:
        raise FormatError(log_path, "", f"holds {len(ids)} logs, name one with --log-id: {_some(ids)}")
    return LogAt(source, log_path, ids[0]).open()


def _read(path: Path, source: Format, log_name: str, log: DriveLog | None) -> Given:
    if source is not LABELS_DB:
        assert log is not None  # such labels bring a log or it is named
        return Given(path.resolve().name, labels_of(path, log))
    from fusion.store import LabelStore

    file = files_by_log(path)[log_name]
    name = f"{file.resolve().parent.name}/{file.name}" if file.name == "labels.db" else file.name
    with LabelStore.open(file, read_only=True) as store:
        return Given(name, store.labels, store.author, store.last_edits(), store.model_run)


def _require_same_frames(paths: Sequence[Path], given: Sequence[Given], log: DriveLog | None) -> None:
    frames = [set(one.labels.timestamps_ns()) for one in given]
    if log is None:
        first = frames[0]
        for path, other in zip(paths[1:], frames[1:], strict=True):
            if first and other and not first & other:
                reason = "no frame in common with the first labels: of another log, or other frames of it?"
                raise FormatError(path, "", f"{reason} --log LOG checks")
        return
    there = set(log.timestamps_ns.tolist())
    for path, instants in zip(paths, frames, strict=True):
        strange = len(instants - there)
        if instants and strange == len(instants):
            raise FormatError(
                path, "", f"labels of another log: none of its {strange} frames is one of {log.name!r}"
            )
        if strange:
            note(f"{path}: {strange} of {len(instants)} frames are none of log {log.name!r}")


def _told_apart(given: list[Given]) -> list[Given]:
    """Sets whose files have one name say which they are."""
    names = [one.name for one in given]
    letters = ("A", "B", "base")
    return [
        replace(one, name=f"{one.name} ({letter})") if names.count(one.name) > 1 else one
        for one, letter in zip(given, letters, strict=False)
    ]


def tolerance_of(length_m: float, angle_deg: float, pixels: float | None = None) -> Tolerance:
    """What is so small that it is no difference, as options give it."""
    usual = Tolerance()
    return replace(
        usual,
        length_m=length_m,
        angle_rad=math.radians(angle_deg),
        pixels=usual.pixels if pixels is None else pixels,
    )


def size_of(labels: LabelSet) -> dict[str, int]:
    """How much labels hold."""
    return {
        "tracks": len(labels.tracks),
        "boxes": labels.annotation_count,
        "frames": len(labels.timestamps_ns()),
    }
