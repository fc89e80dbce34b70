"""What labelling clips costs: each is opened, labelled from nothing, checked and stored."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.log import DriveLog
    from fusion.progress import Progress

THREADS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"))
WARM_S = 2.0


@dataclass(frozen=True, slots=True)
class ClipCost:
    """What one clip cost, in seconds of the processor unless said otherwise.

    Attributes:
        name: of the clip.
        sweeps: how many.
        points: in all of them.
        tracks: that were found.
        boxes: of these.
        findings: of the checks.
        read_s: for reading all sweeps and nothing else.
        read_wall_s: the same by the clock on the wall.
        stages_s: for the whole way, by stage.
        whole_s: for the whole way.
        wall_s: the same by the clock on the wall.
        peak_mb: of memory; None where the system does not say.
    """

    name: str
    sweeps: int
    points: int
    tracks: int
    boxes: int
    findings: int
    read_s: float
    read_wall_s: float
    stages_s: dict[str, float]
    whole_s: float
    wall_s: float
    peak_mb: int | None


def measure(folders: list[Path], workers: int, progress: Progress | None = None) -> list[ClipCost]:
    """What each clip costs, so many at a time; a process labels one after the other."""
    with processes(workers) as pool:
        jobs = [pool.submit(clip_cost, folder) for folder in folders]
        costs = []
        for number, job in enumerate(jobs):
            if progress:
                progress("measuring", number, len(folders))
            costs.append(job.result())
    if progress:
        progress("measuring", len(folders), len(folders))
    return costs


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes of one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def clip_cost(folder: Path) -> ClipCost:
    """Measures one clip, with all kernels compiled and loaded before."""
    from autolabel.memory import forget_peak_memory, keep_freed_memory, peak_memory_mb
    from fusion.stages import measured, stage

    keep_freed_memory()
    with tempfile.TemporaryDirectory(prefix="crosslabel-bench-") as out:
        _warm(folder, Path(out) / "warm")
        points, read_s, read_wall_s = _read_alone(folder)
        forget_peak_memory()
        begun_s, begun_wall_s = time.process_time(), time.perf_counter()
        with measured() as stages:
            with stage("open"):
                log = _opened(folder)
            _label(log, Path(out) / "timed")
        whole_s, wall_s = time.process_time() - begun_s, time.perf_counter() - begun_wall_s
        tracks, boxes, findings = _counts(Path(out) / "timed")
    return ClipCost(
        name=log.name,
        sweeps=len(log),
        points=points,
        tracks=tracks,
        boxes=boxes,
        findings=findings,
        read_s=read_s,
        read_wall_s=read_wall_s,
        stages_s=dict(stages.spent_s),
        whole_s=whole_s,
        wall_s=wall_s,
        peak_mb=peak_memory_mb(),
    )


def _opened(folder: Path) -> DriveLog:
    from formats.folder import FOLDER

    assert FOLDER.open_log is not None
    return FOLDER.open_log(folder, FOLDER.log_ids(folder)[0])


def _label(log: DriveLog, out: Path) -> None:
    from autolabel import Config, Given
    from autolabel.runs import Work, label_log
    from fusion.checks.config import CheckConfig

    label_log(Work(log, Given(), out, rules=CheckConfig()), Config())


def _warm(folder: Path, out: Path) -> None:
    """Labels the first seconds once in each process."""
    global _is_warm
    if not _is_warm:
        _label(_first_seconds(_opened(folder)), out)
        _is_warm = True


_is_warm = False


def _first_seconds(log: DriveLog) -> DriveLog:
    frames_ns = log.timestamps_ns[log.timestamps_ns < log.timestamps_ns[0] + round(WARM_S * 1e9)]
    last_ns = int(frames_ns[-1])
    sweeps = {
        name: tuple(ref for ref in refs if ref.timestamp_ns <= last_ns) for name, refs in log.sweeps.items()
    }
    images = {
        name: tuple(ref for ref in refs if ref.timestamp_ns <= last_ns) for name, refs in log.images.items()
    }
    return replace(log, timestamps_ns=frames_ns, sweeps=sweeps, images=images)


def _read_alone(folder: Path) -> tuple[int, float, float]:
    """How many points there are, and the time that reading them takes."""
    log = _opened(folder)
    begun_s, begun_wall_s = time.process_time(), time.perf_counter()
    points = sum(len(ref.read()) for refs in log.sweeps.values() for ref in refs)
    return points, time.process_time() - begun_s, time.perf_counter() - begun_wall_s


def _counts(out: Path) -> tuple[int, int, int]:
    from autolabel.records import read_record

    record = read_record(out) or {}
    counts, checks = record.get("counts"), record.get("checks")
    assert isinstance(counts, dict) and isinstance(checks, dict)
    return counts["tracks"], counts["boxes"], sum(checks["findings"].values())
