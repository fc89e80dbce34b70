"""Logs that do to their worker what logs can do: run by real workers, so they live in a module."""

import errno
import os
import resource
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from autolabel.batch import Ended
from autolabel.memory import keep_freed_memory
from autolabel.runs import Outcome
from scripts.autolabel_unit import LogUnit


@dataclass(frozen=True, slots=True)
class Slow:
    """Nothing but time; says who works on it."""

    name: str
    seconds: float
    folder: Path

    def __call__(self, progress: Any = None) -> Ended:
        (self.folder / f"{self.name}.pid").write_text(f"{os.getpid()}")
        time.sleep(self.seconds)
        (self.folder / f"{self.name}.done").touch()
        return Ended(self.name, Outcome.DONE, told={"pid": os.getpid()})


@dataclass(frozen=True, slots=True)
class Grasping:
    """Takes and frees a megabyte a hundred times, as a log does; says how many pages the system gave."""

    name: str

    def __call__(self, progress: Any = None) -> Ended:
        keep_freed_memory()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(100):
            np.ones(1 << 20, np.uint8)
        pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        return Ended(self.name, Outcome.DONE, told={"pages": pages})


@dataclass(frozen=True, slots=True)
class Deadly:
    """Kills its worker, every time."""

    name: str

    def __call__(self, progress: Any = None) -> Ended:
        os.kill(os.getpid(), signal.SIGKILL)
        return Ended(self.name, Outcome.DONE)


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Cannot even begin."""

    name: str

    def __call__(self, progress: Any = None) -> Ended:
        raise TypeError("no such thing")


@dataclass(frozen=True, slots=True)
class Observed(LogUnit):
    """A log that says which process works on it, just before its result is put in place."""

    def __call__(self, progress: Any = None) -> Ended:
        moment = patch("autolabel.results._put_in_place", self._hesitate)
        with moment:
            return LogUnit.__call__(self, progress)

    def _hesitate(self, made: Path, folder: Path) -> None:
        told = self.asked.out.parent / f"{self.name}.pid"
        if not told.exists():
            told.write_text(f"{os.getpid()}")
            time.sleep(60)
        made.rename(folder)


@dataclass(frozen=True, slots=True)
class NoSpace(LogUnit):
    """A log whose labels find no space on the disk."""

    def __call__(self, progress: Any = None) -> Ended:
        def full(source: Path, target: Path) -> None:
            Path(target).write_bytes(Path(source).read_bytes()[:1000])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

        with patch.object(shutil, "copyfile", full):
            return LogUnit.__call__(self, progress)
