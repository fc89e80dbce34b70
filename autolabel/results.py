"""The folder of one log's result: it appears whole or not at all, whatever dies while it is made."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fusion.labels import LabelSet
from fusion.store import LabelStore

LABELS, FINDINGS = "labels.db", "check.json"


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A folder to fill, beside; it takes the place of `folder` when the block ends without an error.

    Its name says which process of which machine fills it, so that two that work on one log at a time, as
    where a cluster gave a machine up too early, do not meet. The labels that were there before stay beside
    the new ones as `labels.previous.db`.
    """
    made = folder.with_name(f".{folder.name}.{_host()}.{os.getpid()}.building")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        yield made
        _put_in_place(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def mend(folder: Path) -> None:
    """Puts back a result that a process that died had set aside, and removes what dead ones left beside."""
    aside = _aside(folder)
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
    if not folder.parent.is_dir():
        return
    head = f".{folder.name}.{_host()}."
    for beside in folder.parent.iterdir():
        number = beside.name.removeprefix(head).removesuffix(".building")
        if beside.name == f"{head}{number}.building" and number.isdigit() and not alive(int(number)):
            shutil.rmtree(beside, ignore_errors=True)


def worked_on(folder: Path) -> bool:
    """Whether a person has edited the labels of a result.

    Raises:
        StoreError: they cannot be read.
    """
    with LabelStore.open(folder / LABELS, read_only=True) as store:
        return any(not entry.automatic for entry in store.journal())


def with_locked(labels: LabelSet, folder: Path) -> LabelSet:
    """Labels with the locked annotations of an earlier result put in: they are key frames too."""
    if not (folder / LABELS).exists():
        return labels
    with LabelStore.open(folder / LABELS, read_only=True) as store:
        earlier = store.labels
    for track in earlier.tracks.values():
        locked = [annotation for annotation in track.annotations.values() if annotation.locked]
        if locked:
            known = labels.tracks.get(track.id, replace(track, annotations={}))
            labels = labels.with_track(known.with_annotations(locked))
    return labels


def alive(pid: int) -> bool:
    """Whether a process of this machine is there."""
    if os.name == "nt":  # os.kill would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _put_in_place(made: Path, folder: Path) -> None:
    if folder.exists():
        if (folder / LABELS).exists():
            shutil.copy2(folder / LABELS, made / "labels.previous.db")
        aside = _aside(folder)
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        made.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        made.rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.replaced")


def _host() -> str:
    """The name of this machine, as part of a file's name."""
    return "".join(c for c in socket.gethostname() if c.isalnum() or c == "-")[:40] or "host"
