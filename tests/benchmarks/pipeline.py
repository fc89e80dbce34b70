"""What labelling a drive costs, from scans on disk to labels on disk: `python -m tests.benchmarks.pipeline`.

Each row is a process of its own, one thread, its kernels compiled before. `--cache FOLDER` keeps the
simulated drive there, `--long` adds one of a minute, which shows whether memory grows, `--mode` takes some of
the rows. `--one MODE FOLDER` runs a single row and prints JSON; with `--profile` it also prints where the
time went. docs/performance.md holds the table.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODES = ("nothing", "detections", "every tenth", "one box")
STAGES = (
    *("read", "ego check", "ground", "scans", "detect", "track", "points", "reconstruct", "confidence"),
    *("rectangles", "store", "check", "else"),
)
THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def one(mode: str, folder: Path, profile: bool) -> dict[str, Any]:
    """Labels the drive once, warm."""
    from autolabel import Config
    from autolabel.memory import peak_memory_mb
    from autolabel.runs import Work, label_log
    from formats.folder import FOLDER
    from fusion.checks.config import CheckConfig
    from fusion.stages import measured

    name = FOLDER.log_ids(folder)[0]
    log = FOLDER.open_log(folder, name)  # type: ignore[misc]
    work = _work(mode, folder, log)
    with tempfile.TemporaryDirectory() as out:
        label_log(Work(*_short(work), Path(out) / "warm", rules=CheckConfig()), Config())
        if profile:
            import cProfile
            import pstats

            with cProfile.Profile(time.thread_time) as profiler:
                label_log(Work(*work, Path(out) / "timed", rules=CheckConfig()), Config())
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        begun_s = time.process_time()
        with measured() as stages:
            label_log(Work(*work, Path(out) / "timed", rules=CheckConfig()), Config(), force=True)
        spent_s = time.process_time() - begun_s
        labels = json.loads((Path(out) / "timed" / "run.json").read_text())["counts"]
    per_sweep = {stage: 1e3 * stages.spent_s.get(stage, 0.0) / len(log) for stage in STAGES}
    return {
        "mode": mode, "seconds": round(len(log) / 10), "sweeps": len(log), "points": _points(log),
        "stages_ms": per_sweep, "all_ms": 1e3 * spent_s / len(log), "peak_mb": peak_memory_mb(), **labels,
    }  # fmt: skip


def _points(log: Any) -> int:
    refs = next(iter(log.sweeps.values()))
    return len(refs[len(refs) // 2].read())


def _work(mode: str, folder: Path, log: Any) -> tuple[Any, Any]:
    """The log and what is given of it."""
    from autolabel import Given
    from formats.labels_db import read_labels
    from tests.benchmarks.pipeline_drive import EVERY, as_detections, at_frames

    if mode == "nothing":
        return log, Given()
    truth = read_labels(folder, log)
    if mode == "detections":
        return log, Given(detections=as_detections(truth))
    if mode == "every tenth":
        return log, Given(keyframes=at_frames(truth, log, range(0, len(log), EVERY)))
    return log, Given(keyframes=at_frames(truth, log, [len(log) // 2]))


def _short(work: tuple[Any, Any]) -> tuple[Any, Any]:
    """The first two seconds of it, in which every kernel is called."""
    from dataclasses import replace

    log, given = work
    frames_ns = log.timestamps_ns[:20]
    last_ns = int(frames_ns[-1])
    sweeps = {name: refs[:20] for name, refs in log.sweeps.items()}
    images = {name: tuple(r for r in refs if r.timestamp_ns <= last_ns) for name, refs in log.images.items()}

    def early(labels: Any) -> Any:
        if labels is None:
            return None
        kept = (t.without(at for at in t.annotations if at > last_ns) for t in labels.tracks.values())
        return type(labels).of(track for track in kept if track.annotations)

    clip = replace(log, timestamps_ns=frames_ns, sweeps=sweeps, images=images)
    keyframes = early(given.keyframes)
    return clip, replace(given, keyframes=keyframes, detections=early(given.detections))


def rows(cache: Path, seconds: float, modes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """One process a row."""
    folder = cache / f"{seconds:g}s"
    environment = {**os.environ, **THREADS}
    if not folder.is_dir():
        maker = [sys.executable, "-m", "tests.benchmarks.pipeline_drive", str(folder), str(seconds)]
        subprocess.run(maker, check=True, env=environment)
    for mode in modes:
        arguments = [sys.executable, "-m", "tests.benchmarks.pipeline", "--one", mode, str(folder)]
        answer = subprocess.run(arguments, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        yield json.loads(answer.stdout)


def main() -> None:
    """Prints the table, and writes it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "crosslabel-benchmark")
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("MODE", "FOLDER"))
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one[0], Path(arguments.one[1]), arguments.profile)))
        return
    for line in table(arguments.cache, arguments.long, tuple(arguments.mode or MODES)):
        print(line, flush=True)


def table(cache: Path, long: bool, modes: tuple[str, ...]) -> Iterator[str]:
    """The rows as a page shows them."""
    yield "| from | drive | tracks | " + " | ".join(STAGES) + " | CPU ms a sweep | peak MB |"
    yield "|---|---|--:|" + "--:|" * (len(STAGES) + 2)
    for seconds in (20.0, 60.0) if long else (20.0,):
        for row in rows(cache, seconds, modes):
            spent = " | ".join(f"{row['stages_ms'][stage]:.1f}" for stage in STAGES)
            yield (
                f"| {row['mode']} | {row['seconds']} s | {row['tracks']} | {spent} | "
                f"{row['all_ms']:.1f} | {row['peak_mb']} |"
            )


if __name__ == "__main__":
    main()
