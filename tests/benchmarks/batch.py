"""What the engine costs, and what a second worker brings: `python -m tests.benchmarks.batch`.

The same unit labels a hundred simulated drives of one second, called in a loop or by a worker of the engine.
For what the engine costs the two take turns with five of them, so that what else the machine does meets
both. For what a second one brings, one worker and two, one loop and two, take turns with half of them each.
Starting and the first logs of a process, which load what is compiled, come once and are told by themselves.
Drives are made at the first run (a few minutes).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from autolabel import Config
from autolabel.batch import Ended, Ledger
from autolabel.batch.engine import local_engine
from fusion.checks.config import CheckConfig
from scripts.autolabel_given import Sources
from scripts.autolabel_unit import Asked, LogUnit
from scripts.bench_clips import Street, made_clips
from scripts.bench_measure import processes

SECONDS, POINTS = 1.0, 20_000
WARM, TURN = 2, 5

Label = Callable[[Sequence[LogUnit]], list[Ended]]
Way = Callable[[int], AbstractContextManager[Label]]


def call(unit: LogUnit) -> Ended:
    return unit()


@contextmanager
def loop(workers: int) -> Iterator[Label]:
    """No engine: processes that call units."""
    with processes(workers) as pool:
        yield lambda units: list(pool.map(call, units))


@contextmanager
def engine(workers: int) -> Iterator[Label]:
    """The workers of an engine, and the ledger that goes with them."""
    with (
        local_engine(workers) as pool,
        tempfile.TemporaryDirectory() as folder,
        Ledger(Path(folder), 0, "") as ledger,
    ):

        def label(units: Sequence[LogUnit]) -> list[Ended]:
            ended = []
            for one in pool.run(units):
                if one is not None:
                    ledger.note(one)
                    ended.append(one)
                ledger.beat()
            return ended

        yield label


def timed(label: Label, clips: Sequence[Path]) -> float:
    """Seconds until all are labelled."""
    with tempfile.TemporaryDirectory() as out:
        asked = Asked(Sources(), Config(), CheckConfig(), Path(out))
        units = [LogUnit(clip.name, "folder", clip, False, asked) for clip in clips]
        begun_s = time.perf_counter()
        ended = label(units)
        spent_s = time.perf_counter() - begun_s
    assert [one.outcome for one in ended] == ["done"] * len(clips), [one.reason for one in ended]
    return spent_s


@contextmanager
def warm(way: Way, workers: int, clips: Sequence[Path], starts_s: list[float]) -> Iterator[Label]:
    """Started, with a few drives done that do not count; says how long that took."""
    begun_s = time.perf_counter()
    with way(workers) as label:
        timed(label, clips[: WARM * workers])
        starts_s.append(time.perf_counter() - begun_s)
        yield label


def overheads(clips: Sequence[Path], starts_s: list[float]) -> tuple[list[float], list[float]]:
    """Seconds a drive in a loop, turn by turn, and what the worker of an engine takes of them more."""
    loops_s, more = [], []
    with warm(loop, 1, clips, []) as plain, warm(engine, 1, clips, starts_s) as worker:
        for number in range(0, len(clips), TURN):
            some = clips[number : number + TURN]
            first_s, one_s, other_s, last_s = (timed(label, some) for label in (plain, worker, worker, plain))
            loops_s.append((first_s + last_s) / (2 * len(some)))
            more.append((one_s + other_s) / (first_s + last_s) - 1)
    return loops_s, more


def gains(way: Way, parts: Sequence[Sequence[Path]], starts_s: list[float]) -> list[float]:
    """How many times as fast two are as one, part by part."""
    found = []
    for number, part in enumerate(parts):
        spent_s = {}
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            with warm(way, workers, part, starts_s) as label:
                spent_s[workers] = timed(label, part)
        found.append(spent_s[1] / spent_s[2])
    return found


def show(name: str, values: Sequence[float]) -> None:
    low, middle, high = statistics.quantiles(values, method="inclusive")
    print(f"{name:40} {middle:7.3f}   ({low:.3f} to {high:.3f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2, help="of one worker and two")
    parser.add_argument("--keep", type=Path, help="folder of the drives")
    arguments = parser.parse_args()
    clips = made_clips(Street(SECONDS, POINTS), arguments.logs, arguments.keep, workers=2)
    parts = [clips[number :: arguments.rounds] for number in range(arguments.rounds)]
    starts_s: list[float] = []
    with warm(loop, 1, clips, []):
        pass  # kernels are compiled, files in the cache
    loops_s, more = overheads(clips, starts_s)
    print("median (half of all lie between)")
    show("a log in a loop, s", loops_s)
    show("overhead of the engine", more)
    show("two workers / one", gains(engine, parts, starts_s))
    show("two loops / one: what the machine gives", gains(loop, parts, []))
    show("start of an engine, first logs too, s", starts_s)


if __name__ == "__main__":
    main()
