"""What the engine costs, and what a second worker brings: `python -m tests.benchmarks.batch`.

One hundred short simulated drives are labelled three times: by calling the same unit in a loop, by one
worker of the engine, and by two. `--logs`, `--seconds` and `--azimuth` make them fewer, shorter, sparser;
`--cache FOLDER` keeps them.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autolabel import Config
from autolabel.batch import Here, read_ledger
from autolabel.batch.ended import Ended
from autolabel.batch.engine import local_engine
from fusion.checks.config import CheckConfig
from fusion.labels import LabelSet
from scripts.autolabel_given import Sources
from scripts.autolabel_unit import Asked, LogUnit


def made(folder: Path, count: int, seconds: float, azimuth: int) -> Path:
    """A data set of short drives."""
    from formats.folder import FOLDER
    from fusion.simulate import Drive, SimulationConfig

    def drives() -> Iterator[tuple[Any, LabelSet]]:
        for number in range(count):
            name = f"log{number:03d}"
            config = SimulationConfig(name, 2000 + number, 0, seconds, azimuth_steps=azimuth, cameras=0)
            yield Drive(config).log(), LabelSet()

    if not folder.is_dir():
        FOLDER.write(folder, drives())  # type: ignore[misc]
    return folder


def units(logs: Path, out: Path, count: int) -> list[LogUnit]:
    shutil.rmtree(out, ignore_errors=True)
    asked = Asked(Sources(), Config(), CheckConfig(), out)
    return [LogUnit(f"log{number:03d}", "folder", logs, False, asked) for number in range(count)]


def timed(pool: Any, work: list[LogUnit]) -> tuple[float, list[Ended]]:
    """Seconds until all have ended."""
    begun_s = time.perf_counter()
    ended = [one for one in pool.run(work) if one is not None]
    assert all(one.outcome == "done" for one in ended), [one.reason for one in ended if one.reason]
    return time.perf_counter() - begun_s, ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--azimuth", type=int, default=900)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    count = arguments.logs
    with tempfile.TemporaryDirectory() as folder:
        logs = made((arguments.cache or Path(folder)) / "logs", count, arguments.seconds, arguments.azimuth)
        out = Path(folder) / "out"
        rows: dict[str, Any] = {"logs": count}
        units(logs, out, 1)[0]()  # kernels are compiled, files in the cache
        rows["loop_s"], _ = timed(Here(), units(logs, out, count))
        peaks = []
        for workers in (1, 2):
            begun_s = time.perf_counter()
            with local_engine(workers) as engine:
                started_s = time.perf_counter() - begun_s
                timed(engine, units(logs, Path(folder) / "warm", 2 * workers))
                spent_s, ended = timed(engine, units(logs, out, count))
            rows[f"start_{workers}_s"], rows[f"workers_{workers}_s"] = started_s, spent_s
            peaks += [one.told["peak_memory_mb"] for one in ended]
        rows["overhead"] = rows["workers_1_s"] / rows["loop_s"] - 1
        rows["two_over_one"] = rows["workers_1_s"] / rows["workers_2_s"]
        rows["peak_mb"] = max(peaks)
    assert read_ledger(out) is None
    print(json.dumps({name: round(value, 3) for name, value in rows.items()}))


if __name__ == "__main__":
    main()
