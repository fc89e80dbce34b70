"""The frames and drives on which a scripted annotator works, and what there is to label in them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from formats.pandaset import PANDASET
from fusion.boxes import Box3D, Boxes
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes
from fusion.simulate import SimulationConfig, simulate
from fusion.store import LabelStore
from tests.conftest import SHARED_DATA
from viewer.desk import Desk
from viewer.frames.cache import FrameCache
from viewer.open import desk_of
from viewer.scene.handles import moved, turned
from viewer.schema import Category, Schema

LEAST_POINTS = 20
REPORTED = {
    "pandaset": (3, 18),
    "stop-100": (20, 60),
    "curve-101": (20, 60),
    "straight-102": (20, 60),
    "stop-103": (20, 60),
}
TUNED = {"pandaset": (11, 1, 5, 8, 14), "stop-1": (20, 60), "curve-2": (20, 60), "straight-3": (20, 60)}
OFF_M, OFF_RAD, OFF_SIZE = 0.3, np.radians(10.0), 0.1


@dataclass(frozen=True, eq=False)
class Drive:
    """A drive whose objects are all known.

    Attributes:
        name: of the rows; simulated ones end with their seed.
        log: without images, which nobody looks at here.
        truth: all objects at all frames.
        frames: in which boxes are made.
    """

    name: str
    log: DriveLog
    truth: LabelSet
    frames: tuple[int, ...]

    @property
    def real(self) -> bool:
        """Whether it was driven."""
        return self.name == "pandaset"


@dataclass(frozen=True, eq=False)
class Thing:
    """One true box in one frame."""

    track: str
    category: str
    box: Box3D
    points: int

    @property
    def away_m(self) -> float:
        """How far it is."""
        return float(np.hypot(*self.box.center[:2]))


def drives(wanted: dict[str, tuple[int, ...]]) -> Iterator[Drive]:
    """The drives of a table; real ones only where there are any."""
    for name, frames in wanted.items():
        if name != "pandaset":
            style, seed = name.split("-")
            config = SimulationConfig.full()
            config = replace(config, seed=int(seed), style=style, cameras=0, seconds=8.0)
            log, truth = simulate(config)
            log = remembered(log)
        elif (path := SHARED_DATA / "pandaset/002").is_dir():
            log = PANDASET.open_log(path, "002")
            truth = PANDASET.read_labels(path, log)
            log = replace(log, images={})
        else:
            print(f"{name}: left out, there is no {path}", flush=True)
            continue
        yield Drive(name, log, truth, frames)


def remembered(log: DriveLog) -> DriveLog:
    """The log with all its sweeps simulated now, and kept."""
    main = log.rig.main_lidar
    assert main is not None
    sweeps = [ref.read() for ref in log.sweeps[main.name]]
    refs = [
        replace(ref, load=partial(copy, sweep))
        for ref, sweep in zip(log.sweeps[main.name], sweeps, strict=True)
    ]
    return replace(log, sweeps={main.name: tuple(refs)})


def things(drive: Drive, cache: FrameCache, frame: int) -> list[Thing]:
    """What is to be labelled in a frame, class by class."""
    time_ns = int(drive.log.timestamps_ns[frame])
    there = [(t, a.box) for t in drive.truth.tracks.values() if (a := t.annotations.get(time_ns))]
    counts = count_points_in_boxes(cache.wait(frame).cloud.points, Boxes.stack(box for _, box in there))
    found = [Thing(t.id, t.category, box, int(n)) for (t, box), n in zip(there, counts, strict=True)]
    return sorted((one for one in found if one.points >= LEAST_POINTS), key=lambda one: one.category)


@contextmanager
def desk_with(drive: Drive, cache: FrameCache, frame: int, tracks: Iterable[Track] = ()) -> Iterator[Desk]:
    """A desk at a frame, with some labels and all classes of the drive."""
    with tempfile.TemporaryDirectory() as folder:
        store = LabelStore.create(Path(folder) / "labels.db", drive.log.name, LabelSet.of(tracks), "person")
        desk = desk_of(drive.log, store, frame=frame, cache=cache)
        names = sorted({track.category for track in drive.truth.tracks.values()})
        desk.schema = Schema(categories=tuple(Category(name=name) for name in names))
        try:
            yield desk
        finally:
            desk.proposals.close()
            desk.strip.close()
            store.close()


def disturbed(things: Iterable[Thing], time_ns: int, random: np.random.Generator) -> list[Track]:
    """Tracks of boxes as an automation might get them wrong: 0.3 m, 10 degrees, 10 % of each size off."""
    found: list[Track] = []
    for number, thing in enumerate(things):
        way_rad = random.uniform(0, 2 * np.pi)
        box = moved(thing.box, OFF_M * np.array([np.cos(way_rad), np.sin(way_rad), 0.0]))
        box = turned(box, float(random.choice([-1, 1]) * OFF_RAD))
        size = box.size_lwh_m * (1 + OFF_SIZE * random.choice([-1, 1], 3))
        box = Box3D(box.ego_from_box, *(float(value) for value in size))
        found.append(Track.of(str(number + 1), thing.category, [Annotation(time_ns, box, Source.AUTO, 0.5)]))
    return found
