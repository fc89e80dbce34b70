"""Where errors are made: the objects that are still right, and how a change of one is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from calib.types import F64
from fusion.boxes import Box3D
from fusion.labels import Track
from fusion.log import DriveLog
from fusion.seeded.kinds import Level
from fusion.seeded.seeded import SeedConfig, SeededError
from fusion.seeded.survey import Life, Survey

Spots = tuple[tuple[int, F64], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """What one error does to labels or log.

    Attributes:
        error: as it is told.
        put: tracks that take the place of those of their ids, or are new.
        removed: ids of tracks that go.
        uses: ids of the tracks before that have the error.
        spots: (timestamp, place in the world) of the objects it touches.
        origins: as of `Seeded`.
        log: with a sensor disturbed.
        late_ns: by how much the images of the error's camera are stamped too late.
    """

    error: SeededError
    put: tuple[Track, ...] = ()
    removed: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    spots: Spots = ()
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    log: DriveLog | None = None
    late_ns: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Site:
    """A survey, the random choices of one seed, and which tracks have had theirs.

    Attributes:
        survey: what there is.
        config: what is wanted.
        rng: makes all choices.
        taken: ids of tracks that have an error, or are one.
    """

    survey: Survey
    config: SeedConfig
    rng: np.random.Generator
    taken: set[str] = field(default_factory=set)

    def lives(self) -> Iterator[Life]:
        """The tracks without an error that have boxes in the log's frames, in random order."""
        ids = sorted(id for id, life in self.survey.lives.items() if len(life))
        for k in self.rng.permutation(len(ids)).tolist():
            if ids[k] not in self.taken:
                yield self.survey.lives[ids[k]]

    def stretch(self, life: Life, count: int, fits: Callable[[int], bool] | None = None) -> int | None:
        """The first of `count` annotations with a neighbour on either side and enough points; at random."""
        for first in (1 + self.rng.permutation(max(len(life) - count - 1, 0))).tolist():
            if not life.lasts(first - 1, count + 2):
                continue
            if life.enough_points(first, count, self.config.min_points) and (fits is None or fits(first)):
                return int(first)
        return None

    def sign(self) -> float:
        """1 or -1."""
        return float(self.rng.choice((-1.0, 1.0)))

    def new_id(self, like: str) -> str:
        """An id that no track has."""
        known, number = self.survey.labels.tracks.keys() | self.taken, 2
        while f"{like}-{number}" in known:
            number += 1
        return f"{like}-{number}"

    def on_boxes(
        self, level: Level, life: Life, first: int, count: int, alter: Callable[[Box3D], Box3D], words: str
    ) -> Change:
        """An error of the boxes in some consecutive frames."""
        old = life.annotations(first, count)
        track = life.track.with_annotations(replace(a, box=alter(a.box)) for a in old)
        error = self.told(level, life, first, count, f"{words} in {_frames(count)}")
        return Change(error, (track,), uses=(track.id,), spots=spots(life, first, count))

    def told(
        self, level: Level, life: Life, first: int, count: int, words: str, other_id: str | None = None
    ) -> SeededError:
        """The error of a track in some of its frames, in words after its class and id."""
        times_ns = tuple(life.timestamps_ns[first : first + count].tolist())
        place = life.track.annotations[times_ns[0]].box.center.tolist()
        said = f"{life.track.category} {life.track.id}: {words}"
        return SeededError(
            level.kind,
            level.amount,
            said,
            life.track.id,
            other_id,
            times_ns,
            place=(place[0], place[1], place[2]),
            gross=level.gross,
        )


Maker = Callable[[Site, Level], Iterator[Change]]


def spots(life: Life, first: int, count: int) -> Spots:
    """Where an object is in the world in some of its frames."""
    chosen = slice(first, first + count)
    return tuple(zip(life.timestamps_ns[chosen].tolist(), life.places_world[chosen], strict=True))


def _frames(count: int) -> str:
    return "one frame" if count == 1 else f"{count} frames"
