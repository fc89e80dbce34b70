"""One true box of each object, and how well its way through the whole drive is found from its points.

`python -m tests.benchmarks.one_box` prints the table; with `--write` it goes to docs/one_box.md; names of
drives (`pandaset-11`, `stop-100`, ...) measure only these; `--cache FOLDER` keeps the simulated sweeps.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from autolabel import ego
from autolabel.points import SurfaceConfig, trace
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64, Bools
from fusion.log import DriveLog
from tests.benchmarks.bad_poses import DRIFT_SHARE, drifting
from tests.benchmarks.one_box_drives import (
    SHIFTS_M,
    Drive,
    Seen,
    drives,
    with_shifted_poses,
    without_some_scans,
)
from tests.benchmarks.one_box_score import LEAST_POINTS, Given, Marks, Truth, copied, even, scored, truths
from tests.conftest import REPOSITORY

HEAD = (
    "| drive | | way | vehicles .5 | .7 | of those seen .5 | .7 | people .5 | of those seen | centre m "
    "| parked .5 | identity | objects a s |\n"
    "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def row(drive: Drive, way: str, given: Given, poses: F64, known: dict[str, Truth], rate: float | None) -> str:
    """One line of the table."""
    groups = scored(given, poses, known)
    vehicles, people, parked = (
        groups.get(name, Marks.joined([])) for name in ("moving vehicles", "moving people", "parked things")
    )
    taken = np.concatenate([marks.taken for marks in groups.values()])
    cells = [
        drive.name,
        drive.use,
        way,
        share(vehicles.ious >= 0.5),
        share(vehicles.ious >= 0.7),
        share(vehicles.ious[vehicles.seen] >= 0.5),
        share(vehicles.ious[vehicles.seen] >= 0.7),
        share(people.ious >= 0.5),
        share(people.ious[people.seen] >= 0.5),
        f"{np.median(people.off_m[people.seen]):.3f}" if people.seen.any() else "-",
        share(parked.ious >= 0.5),
        share(~taken),
        "" if rate is None else f"{rate:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def share(values: Bools) -> str:
    """Of what is true."""
    return f"{values.mean():.3f}" if len(values) else "-"


def lines(wanted: set[str], cache: Path | None) -> Iterator[str]:
    """The table, line by line."""
    yield from HEAD.split("\n")
    for drive in drives(wanted, cache):
        plain = Scans(LocalWorld.of(drive.log))
        yield from rows(drive, plain, truths(drive, Given.of(plain, drive).ids, plain.frames_ns))


def rows(drive: Drive, plain: Scans, known: dict[str, Truth]) -> Iterator[str]:
    """The lines of one drive."""
    given = Given.of(plain, drive)
    yield row(drive, "copied in the world", given, copied(given), known, None)
    yield row(drive, "constant velocity", given, even(given, drive), known, None)
    for way, log in (
        ("**points**", drive.log),
        ("points, every 5th scan dropped", without_some_scans(drive.log)),
        ("points, shifted poses repaired", repaired(with_shifted_poses(drive.log, drive.seed))),
        ("points, drifting poses repaired", repaired(drifting(drive.log, drive.seed).log)),
    ):
        given = Given.of(Seen(log, plain), drive)
        start_s = time.process_time()
        ways = trace(given.scans, given.seeds)
        rate = ways.poses.shape[0] * ways.poses.shape[1] / (time.process_time() - start_s)
        yield row(drive, way, given, ways.poses, known, rate)


def repaired(log: DriveLog) -> DriveLog:
    """With the car's poses put right by its scans."""
    return replace(log, trajectory=ego.repair(log, ego.check(log)))


TEXT = """# From one box

    python -m tests.benchmarks.one_box --write

Of every object the true box of **one** frame is given; its boxes in all other frames are found from its
own points (`autolabel/points`). Scored are all frames in which the object has at least {least} LiDAR
points: the share of moving vehicles found at 3D IoU 0.5 and 0.7, of moving people at 0.5 with the median
error of their centres on the ground, of parked things at 0.5, and the share of boxes that did not go over
to another object. Simulated drives take twenty seconds, and many of their objects are hidden in the frame in
which they are given: "of those seen" counts only objects that have {least} points in it.

{table}

- **copied in the world**: the car's own motion is taken out, nothing else.
- **constant velocity**: it takes a second true box, of the next frame.
- **dropped**: every fifth scan is missing; the labels of its frame are asked for all the same.
- **shifted**: one pose in twenty is off by {low} to {high} m for one frame; `autolabel.ego` repairs them
  first.
- **drifting**: the poses drift off in one direction by {drift:.0%} of the way; the same repair.
- The last column counts objects times frames a second on one thread; in the bold row of a drive its scans
  are read and cleared of the ground in that time, too.

PandaSet is sequence 002, 22 frames. `pandaset-11` is the contract and was tuned on, as were frames 1, 5, 8
and 14 and the rows that say so. No constant was chosen on the others, but frames 3 and 18 are not untouched:
they are the same two seconds of the same drive, and their errors by object were looked at, before one rule
(what counts as parked) was corrected, and again before it was rewritten. The first full run of this round
showed people of frame 3 worse than before; a threshold of the start was then put back to what it had been,
for what frames 1 and 8 said of it. The simulated drives from 100 on are the cleaner report.

## What it rests on

- An alignment is less sure than its points make believe: {together} points of a car's surface count
  as one. Points next to each other err together, and so do frames that follow each other, since the
  surface they are aligned to was learned from them. Believed too much, far cars turned about their
  rounded fronts and slid along their ways.
- Whether something stands is asked of its surface: do the points fit it better at its first place,
  or where it was found? Counting points in its first box took cars that creep for parked, because
  most of their points stay in it.
- The lowest tenth of a box is not looked at: there the ground shows, wherever it was not cleared
  away.
- An object whose own frame has no scan is looked for in the scans around it.

## What is weak

What is hidden when it is given is kept where it was, which is most of what vehicles and people lack
on simulated drives ("of those seen" leaves it out). After a long occlusion something else may be
taken for the object. A few points of a person tell neither its speed nor that it moves: people of
frame 3 are found less often than before (0.74; it was 0.94). Far cars with less than twenty points
are off by 0.2 to 0.5 m across their way. A car straight behind the
LiDAR, where a sweep begins and ends, is off by what it drives in a tenth of a second.
"""


def main() -> None:
    """Measures, prints, and writes docs/one_box.md where asked to."""
    given = sys.argv[1:]
    cache = Path(given.pop(given.index("--cache") + 1)) if "--cache" in given else None
    table = []
    for line in lines({name for name in given if not name.startswith("-")}, cache):
        table.append(line)
        print(line, flush=True)
    if "--write" in given:
        page = TEXT.format(
            table="\n".join(table),
            least=LEAST_POINTS,
            low=SHIFTS_M[0],
            high=SHIFTS_M[1],
            drift=DRIFT_SHARE,
            together=round(SurfaceConfig().together),
        )
        target: Path = REPOSITORY / "docs" / "one_box.md"
        target.write_text(page, encoding="utf-8")
        sys.stdout.write(f"wrote {target.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
