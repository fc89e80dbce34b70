"""What the engine costs, and what a second worker brings: `python -m tests.benchmarks.batch`.

The same unit labels a hundred simulated drives of one second, called in one loop and in two, by one worker of
the engine and by two. Two of these at a time take turns with twenty drives, so that what else the machine
does meets both. Told are medians, and between what half of all turns lie.
Starting and the first logs of a process, which load what is compiled, come once and are told by themselves.
Drives are made at the first run (a few minutes).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from autolabel import Config
from autolabel.batch import Ended, Ledger
from autolabel.batch.engine import local_engine
from fusion.checks.config import CheckConfig
from scripts.autolabel_given import Sources
from scripts.autolabel_unit import Asked, LogUnit
from scripts.bench_clips import Street, made_clips
from scripts.bench_measure import processes

SECONDS, POINTS = 1.0, 20_000
WARM, TURN = 2, 20

Label = Callable[[Sequence[LogUnit]], list[Ended]]
Way = Callable[[int], AbstractContextManager[Label]]
Used = tuple[Way, int]


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
def warm(way: Way, workers: int, clips: Sequence[Path]) -> Iterator[Label]:
    """Started, with a few drives done that do not count."""
    with way(workers) as label:
        timed(label, clips[: WARM * workers])
        yield label


def compared(first: Used, second: Used, clips: Sequence[Path]) -> list[float]:
    """How many times as long the second takes as the first, turn by turn.

    Each works twice in a row: a process that rests for long may find its memory taken away.
    """
    found = []
    with warm(*first, clips) as one, warm(*second, clips) as other:
        for number in range(0, len(clips), TURN):
            some = clips[number : number + TURN]
            first_s, one_s, other_s, last_s = (timed(label, some) for label in (one, other, other, one))
            found.append((one_s + other_s) / (first_s + last_s))
    return found


def show(name: str, values: Sequence[float]) -> None:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    print(f"{name:44} {middle:7.3f}   ({low:.3f} to {high:.3f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="folder of the drives")
    arguments = parser.parse_args()
    clips = made_clips(Street(SECONDS, POINTS), arguments.logs, arguments.keep, workers=2)
    with warm(loop, 1, clips) as label:  # kernels are compiled, files in the cache
        show("a drive in a loop, s", [timed(label, [clip]) for clip in clips[:TURN]])
    show("one worker / one loop", compared((loop, 1), (engine, 1), clips))
    show("two workers / two loops", compared((loop, 2), (engine, 2), clips))
    show("one worker / two workers", compared((engine, 2), (engine, 1), clips))
    show("one loop / two loops: what the machine gives", compared((loop, 2), (loop, 1), clips))
    begun_s = time.perf_counter()
    with warm(engine, 2, clips):
        show("start of two workers, first drives too, s", [time.perf_counter() - begun_s])


if __name__ == "__main__":
    main()
