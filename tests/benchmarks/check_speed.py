"""What a check costs, with the search for missing objects: `python -m tests.benchmarks.check_speed`.

The drive is that of `tests.benchmarks.pipeline`: 20 s, 200 sweeps of about 120,000 points, six cameras whose
images are not opened. It runs in a process of its own, one thread, its kernels compiled before. `--profile`
also prints where the time went.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fusion.stages import measured, stage
from tests.benchmarks.pipeline import THREADS, rows

SECONDS = 20.0
# Where each stage begins, as the check calls it; a stage ends where another begins.
PLACES = {
    "read and deskew": ("autolabel.scans.read_deskewed", "fusion.checks.facts.scans.read_deskewed"),
    "ground": ("fusion.ground.surface.Ground.under",),
    "scans kept": ("autolabel.scans.Scans.at",),
    "background": ("autolabel.detect.background.Background.of",),
    "movers": ("autolabel.detect.movers.Movers.of",),
    "detect": ("autolabel.candidates.found_in",),
    "chains": ("autolabel.candidates.all_chains",),
    "candidates": ("autolabel.candidates.candidates_of",),
    "beams": ("fusion.checks.facts.scans.look",),
    "motion": ("fusion.checks.facts.motion.Motion.of",),
    "rules": ("fusion.checks.check.asked",),
    "queue": ("fusion.checks.queue.queue",),
}


def staged(name, call):
    """The same function, its time booked on a stage."""

    def wrapper(*arguments, **named):
        with stage(name):
            return call(*arguments, **named)

    return wrapper


@contextmanager
def staged_places():
    """Books the CPU time of everything that is called within."""
    with ExitStack() as stack:
        for name_of_stage, places in PLACES.items():
            for place in places:
                head, _, name = place.rpartition(".")
                try:
                    owner: Any = import_module(head)
                except ModuleNotFoundError:
                    module, _, kind = head.rpartition(".")
                    owner = getattr(import_module(module), kind)
                call = owner.__dict__[name]
                if isinstance(call, classmethod):
                    wrapped: Any = classmethod(staged(name_of_stage, call.__func__))
                else:
                    wrapped = staged(name_of_stage, call)
                stack.enter_context(patch.object(owner, name, wrapped))
        yield


def one(folder: Path, profile: bool) -> dict[str, Any]:
    """Checks the drive once, warm."""
    from autolabel import Given, candidates
    from autolabel.memory import peak_memory_mb
    from formats.folder import FOLDER
    from formats.labels_db import read_labels
    from fusion.checks import check as checks
    from fusion.checks import queue as queues
    from tests.benchmarks.pipeline import _short

    log = FOLDER.open_log(folder, FOLDER.log_ids(folder)[0])  # type: ignore[misc]
    labels = read_labels(folder, log)

    def run(some_log: Any, some_labels: Any) -> Any:
        checked = checks.check(
            some_log,
            some_labels,
            candidates=lambda see: candidates.candidates_of(some_log, watcher=see),
        )
        return checked, queues.queue(checked.findings)

    clip, given = _short((log, Given(keyframes=labels)))
    run(clip, given.keyframes)
    if profile:
        import cProfile
        import pstats

        with cProfile.Profile(time.process_time) as profiler:
            run(log, labels)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
    begun_s = time.process_time()
    with measured() as stages, staged_places():
        checked, items = run(log, labels)
    return {
        "all_s": time.process_time() - begun_s,
        "stages_s": stages.spent_s,
        "peak_mb": peak_memory_mb(),
        "sweeps": len(log),
        "tracks": len(checked.facts.tracks),
        "boxes": len(checked.facts),
        "candidates": len(checked.facts.candidates.tracks),
        "findings": len(checked.findings),
        "items": len(items),
    }


def measure(cache: Path) -> dict[str, Any]:
    """In a process of its own; makes the drive first where it is missing."""
    next(rows(cache, SECONDS, ()), None)
    folder = cache / f"{SECONDS:g}s"
    arguments = [sys.executable, "-m", "tests.benchmarks.check_speed", "--one", str(folder)]
    answer = subprocess.run(
        arguments, check=True, env={**os.environ, **THREADS}, stdout=subprocess.PIPE, text=True
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "crosslabel-benchmark")
    parser.add_argument("--one", type=Path, metavar="FOLDER")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one, arguments.profile)))
        return
    told = measure(arguments.cache)
    print("| stage | CPU s |\n|---|--:|")
    for name in (*PLACES, "else"):
        print(f"| {name} | {told['stages_s'].get(name, 0.0):.2f} |")
    print(f"| **all** | **{told['all_s']:.1f}** |")
    counts = ", ".join(
        f"{told[name]} {name}" for name in ("sweeps", "tracks", "boxes", "candidates", "findings", "items")
    )
    print(f"\n{counts}; peak memory {told['peak_mb']} MB")


if __name__ == "__main__":
    main()
