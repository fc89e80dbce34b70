"""Errors that were put into labels on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calib.errors import CrosslabelError
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded.kinds import LEVELS, ErrorKind, Level


@dataclass(frozen=True, slots=True)
class SeedConfig:
    """How many errors of which kinds go into labels.

    Attributes:
        seed: of the random choices; the same seed makes the same errors.
        share: of the tracks that get an error.
        most_boxes: share of the boxes that are wrong afterwards, at most.
        count: that many errors of each level instead, as far as there are objects for them.
        levels: the kinds and amounts to choose from.
        min_points: an object has at least so many points in the frames of its error, where points are known.
        run: how many frames an error of several boxes lasts.
        apart_m: two errors are never nearer to each other than this in one frame.

    Raises:
        CrosslabelError: a value that cannot be.
    """

    seed: int = 0
    share: float = 0.15
    most_boxes: float = 0.05
    count: int | None = None
    levels: tuple[Level, ...] = LEVELS
    min_points: int = 10
    run: int = 5
    apart_m: float = 5.0

    def __post_init__(self) -> None:
        shares_fit = 0 < self.share <= 1 and 0 < self.most_boxes <= 1
        if not shares_fit or self.run < 1 or (self.count is not None and self.count < 1) or self.seed < 0:
            raise CrosslabelError(f"errors cannot be seeded with these values: {self}")


@dataclass(frozen=True, slots=True)
class SeededError:
    """One error on an object of its own.

    Attributes:
        kind: what was done.
        amount: by how much, in the unit of the kind.
        words: the same for a person.
        track_id: whose boxes are wrong: in the labels with errors, or of a missing object before.
        other_id: the other track of a swap, the second part of a cut track, the first of a duplicate.
        timestamps_ns: the frames at which something is wrong; both frames about the seam of a cut or swap.
        camera: the sensor that was disturbed.
        place: (x, y, z) of the object in the ego frame of its first frame.
        gross: whether every check has to find it.
    """

    kind: ErrorKind
    amount: float
    words: str
    track_id: str | None = None
    other_id: str | None = None
    timestamps_ns: tuple[int, ...] = ()
    camera: str | None = None
    place: tuple[float, float, float] | None = None
    gross: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Seeded:
    """A log and labels with errors, and the list of what was done to them.

    Attributes:
        log: with the disturbed sensors.
        labels: with errors.
        errors: what was done, in the order of doing.
        undisturbed: the labels before.
        left_out: which kinds were not possible here, one sentence each.
        origins: for a track that was swapped, cut or doubled the tracks before that its boxes come from.
    """

    log: DriveLog
    labels: LabelSet
    errors: tuple[SeededError, ...]
    undisturbed: LabelSet
    left_out: tuple[str, ...] = ()
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
