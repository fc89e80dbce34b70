"""How many seeded errors a check finds, on real labels and on simulated drives.

`python -m tests.benchmarks.qa_power` prints tables for the data that is reported on; `--tuned` those on which
limits were chosen; `--only NAME` one of them; `--rounds N` how often errors are seeded; `--write` puts the
tables into docs/qa_power.md. Real data is looked for in the folder that CROSSLABEL_DATA names, or beside the
checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from autolabel.candidates import candidates_of
from calib.errors import CrosslabelError
from formats.registry import find_format
from fusion.checks import Finding
from fusion.checks.check import check
from fusion.checks.queue import queue
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded import GROSS_LEVELS, Power, SeedConfig, self_test
from fusion.seeded.kinds import LEVELS, SENSOR_KINDS
from fusion.simulate import SimulationConfig, simulate
from tests.benchmarks.qa_power_page import page
from tests.conftest import REPOSITORY, SHARED_DATA
from tests.in_memory import in_memory

Drive = tuple[DriveLog, LabelSet]
GROSS_EACH = 1


@dataclass(frozen=True)
class Named:
    """Some drives that are told together.

    Attributes:
        name: of them.
        exact: whether the labels are known to be right.
        drives: opens each.
    """

    name: str
    exact: bool
    drives: tuple[Callable[[], Drive], ...]


def _opened(folder: str, log_id: str | None = None, poses: str | None = None) -> Drive:
    path = SHARED_DATA / folder
    source = find_format(path)
    assert source.open_log is not None and source.read_labels is not None
    log_id = log_id or source.log_ids(path)[0]
    log = source.open_log(path, log_id)
    if poses is not None:
        from dataclasses import replace

        assert source.read_poses is not None
        log = replace(log, trajectory=source.read_poses(SHARED_DATA / poses, log))
    return log, source.read_labels(path, log)


def _simulated(seed: int) -> Drive:
    log, truth = simulate(SimulationConfig(seed=seed, seconds=6.0, cameras=0))
    return in_memory(log), truth


def _kitti(sequence: str) -> Drive:
    return _opened("kitti_tracking/training", sequence, "kitti_tracking/poses_orbslam3")


REPORTED = (
    Named("simulated 100-103", True, tuple(partial(_simulated, seed) for seed in range(100, 104))),
    Named(
        "KITTI 0003 0005 0007 0009 0011 0017",
        False,
        tuple(partial(_kitti, one) for one in ("0003", "0005", "0007", "0009", "0011", "0017")),
    ),
    Named("Argoverse 2", False, (partial(_opened, "argoverse2"),)),
)
TUNED = (
    Named("simulated 3 5 7", True, tuple(partial(_simulated, seed) for seed in (3, 5, 7))),
    Named(
        "KITTI 0000 0002 0004 0020",
        False,
        tuple(partial(_kitti, o) for o in ("0000", "0002", "0004", "0020")),
    ),
    Named("PandaSet 002", False, (partial(_opened, "pandaset"),)),
)


def power_of(named: Named, config: SeedConfig, rounds: int) -> Power:
    """Over all drives of a name."""
    return Power.together([_power(drive(), config, rounds) for drive in named.drives])


def _power(drive: Drive, config: SeedConfig, rounds: int) -> Power:
    log, labels = drive
    candidates = candidates_of(log) if any(log.sweeps.values()) else None

    def findings(disturbed: DriveLog, wrong: LabelSet) -> list[Finding]:
        checked = check(disturbed, wrong, candidates=candidates)
        return [one for item in queue(checked.findings) for one in item.findings]

    return self_test(log, labels, findings, config, range(rounds))


def main(arguments: list[str]) -> None:
    """Measures and prints."""
    rounds = int(arguments[arguments.index("--rounds") + 1]) if "--rounds" in arguments else 5
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    chosen = [one for one in (TUNED if "--tuned" in arguments else REPORTED) if only in one.name]
    parts = list(_measured(chosen, rounds))
    text = page(parts, rounds)
    print(text)
    if "--write" in arguments:
        (REPOSITORY / "docs" / "qa_power.md").write_text(text, encoding="utf-8")


def _measured(chosen: list[Named], rounds: int) -> Iterator[tuple[str, bool, Power, Power]]:
    labels_only = tuple(level for level in LEVELS if level.kind not in SENSOR_KINDS)
    gross = tuple(level for level in GROSS_LEVELS if level.kind not in SENSOR_KINDS)
    for named in chosen:
        try:
            mixed = power_of(named, SeedConfig(levels=labels_only), rounds)
            large = power_of(named, SeedConfig(levels=gross, count=GROSS_EACH), rounds)
        except (CrosslabelError, FileNotFoundError) as error:
            print(f"{named.name}: left out: {error}", file=sys.stderr)
            continue
        yield named.name, named.exact, mixed, large


if __name__ == "__main__":
    main(sys.argv[1:])
