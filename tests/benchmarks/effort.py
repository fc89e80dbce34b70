"""How many actions labels cost, counted by a scripted annotator at a real desk: no window, real events.

`python -m tests.benchmarks.effort` prints the tables; with `--write` they go to docs/effort.md; `--tuned`
measures the frames on which constants were chosen; `--hand PX` gives the hand another error; `--boxes` leaves
the tracks out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from fusion.categories import Kind, kind_of
from tests.benchmarks.effort_drives import REPORTED, TUNED, Drive, Thing, desk_with, disturbed, drives, things
from tests.benchmarks.effort_page import Cost, page
from tests.benchmarks.effort_person import HAND_PX, Person
from tests.benchmarks.effort_tracks import track_costs
from tests.conftest import REPOSITORY
from viewer.frames.cache import FrameCache


@dataclass(frozen=True)
class Wanted:
    """What is measured."""

    drives: dict[str, tuple[int, ...]]
    hand_px: float
    tracks: bool


def box_costs(drive: Drive, hand_px: float) -> list[Cost]:
    """Of new boxes and of repaired ones, in all frames of a drive."""
    found: list[Cost] = []
    cache = FrameCache(drive.log)
    for frame in drive.frames:
        there = things(drive, cache, frame)
        random = np.random.default_rng(frame)
        with desk_with(drive, cache, frame) as desk:
            person = Person(desk, random, hand_px)
            for thing in there:
                before = person.actions
                seen = person.make(thing.box, thing.category)
                found.append(_cost("new", drive, thing, person.actions - before, seen))
        time_ns = int(drive.log.timestamps_ns[frame])
        with desk_with(drive, cache, frame, disturbed(there, time_ns, random)) as desk:
            person = Person(desk, random, hand_px)
            for number, thing in enumerate(there):
                desk.session.select(str(number + 1))
                before = person.actions
                seen = person.repair(thing.box)
                found.append(_cost("repair", drive, thing, person.actions - before, seen))
    cache.close()
    return found


def _cost(job: str, drive: Drive, thing: Thing, actions: int, seen: list[float]) -> Cost:
    return Cost(
        job, drive.real, group_of(thing.category), thing.away_m, thing.points, actions, seen[0], seen[-1]
    )


def group_of(category: str) -> str:
    """The line of the table that a class belongs to."""
    kind = kind_of(category)
    if kind is Kind.CAR:
        return "cars"
    if kind in (Kind.BICYCLE, Kind.MOTORCYCLE):
        return "cyclists"
    if kind is Kind.PEDESTRIAN:
        return "people"
    return "large vehicles" if kind.is_vehicle else "other things"


def measured(wanted: Wanted) -> list[Cost]:
    """All that is asked for, drive by drive."""
    costs: list[Cost] = []
    for drive in drives(wanted.drives):
        costs += box_costs(drive, wanted.hand_px)
        if wanted.tracks:
            costs += track_costs(drive, wanted.hand_px)
        print(f"{drive.name}: {len(costs)} so far", file=sys.stderr, flush=True)
    return costs


def main() -> None:
    """Prints the tables, and writes them where that is wanted."""
    hand_px = float(sys.argv[sys.argv.index("--hand") + 1]) if "--hand" in sys.argv else HAND_PX
    where = TUNED if "--tuned" in sys.argv else REPORTED
    text = page(measured(Wanted(where, hand_px, "--boxes" not in sys.argv)), hand_px, where)
    print(text)
    if "--write" in sys.argv:
        (REPOSITORY / "docs" / "effort.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
