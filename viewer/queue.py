"""Logs to be reviewed one after the other, those first where a look saves most; what is done stays done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calib.errors import CrosslabelError

DONE = "reviewed.jsonl"


@dataclass(frozen=True, slots=True)
class Queued:
    """One log of a queue.

    Attributes:
        name: of the log.
        path: of the log or of its data set.
        format: of what is there.
        labels: its labels, in the folder of the queue.
        saved_s: what looking at it is expected to save.
        places: how many places are worth a look.
    """

    name: str
    path: Path
    format: str
    labels: Path
    saved_s: float
    places: int


class Queue:
    """A file that `crosslabel autolabel` left behind, and beside it what has been reviewed.

    Several people may work through one queue; what one of them has done is left out for the others.

    Args:
        path: of queue.jsonl.

    Raises:
        CrosslabelError: it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = list(_queued(path))
        self._left_out: set[str] = set()

    def next(self) -> Queued | None:
        """The first log that nobody has done, and that was not left for later now."""
        done = self.done()
        return next((one for one in self.logs if one.name not in done | self._left_out), None)

    def done(self) -> set[str]:
        """The names of the logs that somebody has done."""
        return {str(line.get("log")) for _, line in _lines(self.path.with_name(DONE), must_exist=False)}

    def finish(self, log: Queued, author: str) -> None:
        """Notes that a log is done."""
        line = json.dumps({"log": log.name, "author": author, "time_s": round(time.time())}) + "\n"
        # One write at the end of the file: two people do not tear each other's lines.
        stream = os.open(self.path.with_name(DONE), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(stream, line.encode())
        finally:
            os.close(stream)

    def leave(self, log: Queued) -> None:
        """Leaves a log for another time."""
        self._left_out.add(log.name)

    def place(self, log: Queued) -> str:
        """How far one has come, in words."""
        left = len(self.logs) - len(self.done() & {one.name for one in self.logs})
        return f"{log.name}: {log.places} places to look at; {left} of {len(self.logs)} logs left"


def _queued(path: Path) -> Iterator[Queued]:
    for number, line in _lines(path, must_exist=True):
        try:
            texts = [line[name] for name in ("log", "path", "format", "labels")]
            saved_s, places = float(line["saved_s"]), int(line["places"])
        except (KeyError, TypeError, ValueError):
            raise _no_queue(path, number) from None
        if not all(isinstance(text, str) and text and "\0" not in text for text in texts):
            raise _no_queue(path, number)
        root = path.parent.resolve()
        labels = (root / texts[3]).resolve()
        if root not in labels.parents:
            raise CrosslabelError(
                f"{path}: line {number}: labels outside of the queue's folder: {texts[3]!r}"
            )
        yield Queued(texts[0], Path(texts[1]), texts[2], labels, saved_s, places)


def _lines(path: Path, must_exist: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if must_exist:
            raise CrosslabelError(f"{path}: no such file") from None
        return
    except OSError as error:
        raise CrosslabelError(f"{path}: cannot be read: {error.strerror}") from None
    for number, row in enumerate(text.splitlines(), start=1):
        try:
            line = json.loads(row)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            yield number, line
        elif must_exist:
            raise _no_queue(path, number)


def _no_queue(path: Path, number: int) -> CrosslabelError:
    return CrosslabelError(f"{path}: line {number}: no entry of a queue that crosslabel autolabel wrote")
