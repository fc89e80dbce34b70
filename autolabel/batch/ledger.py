"""`batch.jsonl`: what a batch was asked and what became of each log, a line each, as it happens.

One process writes it. A batch that is run again goes on below; the last one is what counts. The time of the
file's last change says that the batch still runs, so that a batch whose process was killed can be told.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from autolabel.batch.ended import Ended
from autolabel.batch.standing import Standing, State
from autolabel.results import alive
from autolabel.runs import Outcome
from calib.errors import CrosslabelError

FILE_NAME = "batch.jsonl"
BEAT_S = 5.0
# Without a sign of life for so long a batch is taken for dead.
SILENT_S = 60.0


class Ledger:
    """The file, while a batch runs.

    Args:
        out: folder of the results.
        total: how many logs there are.
        workers: how they are worked on, in words.

    Attributes:
        standing: what has been written.

    Raises:
        CrosslabelError: another batch is at work there.
    """

    def __init__(self, out: Path, total: int, workers: str) -> None:
        before = read_ledger(out)
        if before is not None and before.state is State.RUNNING:
            raise CrosslabelError(f"{out}: another batch is at work here, {before.where}")
        out.mkdir(parents=True, exist_ok=True)
        self.path = out / FILE_NAME
        self.standing = Standing(total, workers, socket.gethostname(), os.getpid(), time.time())
        self._beaten_s = time.monotonic()
        _end_line(self.path)
        self._stream = self.path.open("a", encoding="utf-8")
        begun = self.standing
        self._line({"begin": {"total": total, "workers": workers, "host": begun.host, "pid": begun.pid}})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state, reason = (State.FINISHED, "") if kind is None else (State.STOPPED, _why(kind, error))
        self.standing.end(state, time.time(), reason)
        self._line({"end": state, "reason": reason})
        self._stream.close()

    def note(self, ended: Ended) -> None:
        """What became of a log."""
        self.standing.add(ended, time.time())
        self._line({"log": ended.name, **{k: v for k, v in asdict(ended).items() if k != "name" and v}})

    def beat(self) -> None:
        """A sign of life, from time to time."""
        self.standing.now_s = time.time()
        if time.monotonic() - self._beaten_s > BEAT_S:
            self._beaten_s = time.monotonic()
            os.utime(self.path)

    def _line(self, said: dict[str, Any]) -> None:
        self._stream.write(json.dumps({"time_s": round(time.time(), 3), **said}) + "\n")
        self._stream.flush()
        self._beaten_s = time.monotonic()


def _why(kind: type[BaseException], error: BaseException | None) -> str:
    if issubclass(kind, KeyboardInterrupt):
        return "Ctrl-C"
    return " ".join(
        (str(error) if issubclass(kind, CrosslabelError) else f"{kind.__name__}: {error}").split()
    )


def read_ledger(out: Path) -> Standing | None:
    """How the last batch in a folder stands; None where there was none. What makes no sense is left out."""
    path = out / FILE_NAME
    if not path.is_file():
        return None
    standing: Standing | None = None
    for line in _lines(path):
        begun = line.get("begin")
        if isinstance(begun, dict):
            standing = _begun(begun, float(line["time_s"]))
        elif standing is not None and line.get("end") in (State.FINISHED, State.STOPPED):
            standing.end(State(line["end"]), float(line["time_s"]), str(line.get("reason", "")))
        elif standing is not None and line.get("outcome") in list(Outcome):
            standing.add(_ended(line), float(line["time_s"]))
    if standing is not None and standing.state is State.RUNNING:
        changed_s = path.stat().st_mtime
        standing.now_s = max(changed_s, standing.now_s)
        here = standing.host == socket.gethostname()
        if time.time() - changed_s > SILENT_S or (here and not alive(standing.pid)):
            standing.end(State.DEAD, standing.now_s, "its process is gone")
    return standing


def _begun(said: dict[str, Any], at_s: float) -> Standing:
    numbers = [said.get(name) for name in ("total", "pid")]
    total, pid = (number if isinstance(number, int) and number >= 0 else 0 for number in numbers)
    return Standing(total, str(said.get("workers", "")), str(said.get("host", "")), pid, at_s)


def _ended(line: dict[str, Any]) -> Ended:
    told = line.get("told")
    return Ended(
        str(line.get("log", "")),
        Outcome(line["outcome"]),
        str(line.get("reason", "")),
        told if isinstance(told, dict) else {},
        bool(line.get("disk_full", False)),
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            for text in stream:
                try:
                    line = json.loads(text)
                except (ValueError, RecursionError):
                    continue
                if isinstance(line, dict) and isinstance(line.get("time_s"), int | float):
                    yield line
    except OSError as error:
        raise CrosslabelError(f"{path}: cannot be read: {error.strerror}") from None


def _end_line(path: Path) -> None:
    """Ends the last line, where a killed process left half of one."""
    if path.exists() and path.stat().st_size:
        with path.open("rb+") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
