"""All boxes of a label set in columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.beam import beam_offset_ns
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.checks.facts.examined import Examined
from fusion.checks.facts.leaps import Leap, leaps_of
from fusion.checks.facts.motion import Motion
from fusion.checks.facts.pictured import Pictured
from fusion.checks.facts.scans import Scanned
from fusion.checks.facts.shared import Shared
from fusion.checks.schema import LabelSchema
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog

# As many boxes on either side of one say how it moves.
ABOUT = 6


@dataclass(frozen=True, eq=False)
class Facts:
    """One row a box: the tracks one after the other, each in order of time.

    Attributes:
        log: what was measured.
        labels: what is claimed.
        tracks: T tracks.
        starts: (T + 1,) the first row of each.
        owners: (N,) the number of the track of each row.
        annotations: N.
        times_ns: (N,) their instants.
        boxes: N in the ego frame of each instant.
        scanned: what the sweeps say of each; None where the log has none.
        candidates: objects that something else than the labels claims; None where nothing does.
        pictured: what rectangles in the images say; None where there are none.
        examined: what the sensors themselves say; None where nobody asked them.
        schema: what the project lets labels say.
    """

    log: DriveLog
    labels: LabelSet
    tracks: tuple[Track, ...]
    starts: I64
    owners: I64
    annotations: tuple[Annotation, ...]
    times_ns: I64
    boxes: Boxes
    scanned: Scanned | None = None
    candidates: LabelSet | None = None
    pictured: Pictured | None = None
    examined: Examined | None = None
    schema: LabelSchema = field(default_factory=LabelSchema)

    @classmethod
    def of(cls, log: DriveLog, labels: LabelSet) -> Facts:
        """Of labels alone."""
        tracks = tuple(labels.tracks.values())
        counts = [len(track.annotations) for track in tracks]
        annotations = tuple(a for track in tracks for a in track.annotations.values())
        return cls(
            log=log,
            labels=labels,
            tracks=tracks,
            starts=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
            owners=np.repeat(np.arange(len(tracks)), counts),
            annotations=annotations,
            times_ns=np.array([a.timestamp_ns for a in annotations], dtype=np.int64),
            boxes=Boxes.stack(a.box for a in annotations),
        )

    def __len__(self) -> int:
        return len(self.times_ns)

    def rows(self, track: int) -> slice:
        """The rows of one track."""
        return slice(int(self.starts[track]), int(self.starts[track + 1]))

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kind of each track."""
        return tuple(kind_of(track.category) for track in self.tracks)

    def of_kinds(self, *kinds: Kind) -> Bools:
        """(N,) whether a row is of one of some kinds."""
        return np.array([kind in kinds for kind in self.kinds], dtype=np.bool_)[self.owners]

    @cached_property
    def wheeled(self) -> Bools:
        """(N,) whether it moves along its own length."""
        return self.of_kinds(*(kind for kind in Kind if kind.is_vehicle))

    @cached_property
    def frames(self) -> I64:
        """(N,) the frame of the log of each row; -1 where the log has no such frame."""
        return self.log.frames_at(self.times_ns)

    @cached_property
    def covered(self) -> Bools:
        """(N,) whether the car's pose is known at its instant."""
        drive = self.log.trajectory
        return np.asarray((self.times_ns >= drive.start_ns) & (self.times_ns <= drive.end_ns))

    @cached_property
    def poses_known(self) -> bool:
        """Whether the log says how the car moved; a trajectory that stays at one spot says nothing."""
        places = self.log.trajectory.world_from_ego.translations
        return bool(self.covered.any()) and not bool((places == places[0]).all())

    @cached_property
    def away_m(self) -> F64:
        """(N,) distance from the car, seen from above."""
        return np.asarray(np.linalg.norm(self.boxes.dst_from_box.translations[:, :2], axis=1))

    @cached_property
    def seen_ns(self) -> I64:
        """(N,) when the beam passed it."""
        return self.times_ns + beam_offset_ns(self.log, self.boxes.dst_from_box.translations)

    @cached_property
    def world(self) -> Boxes:
        """The boxes in a world whose origin is the car's first place; there, too, where none is known."""
        drive = self.log.trajectory
        size = len(self)
        rotations, places = np.tile(np.eye(3), (size, 1, 1)), np.zeros((size, 3))
        if self.covered.any():
            first_from_world = drive.at(drive.start_ns).inverse()
            first_from_ego = first_from_world @ drive.at_many(self.times_ns[self.covered])
            ego_from_box = self.boxes.dst_from_box.take(np.flatnonzero(self.covered))
            first_from_box = first_from_ego @ ego_from_box
            rotations[self.covered], places[self.covered] = (
                first_from_box.rotations,
                first_from_box.translations,
            )
        return Boxes(SE3Batch(rotations, places), self.boxes.sizes_lwh_m)

    @cached_property
    def motion(self) -> Motion:
        """How each box follows from those before and after it."""
        return Motion.of(self.starts, self.seen_ns, self.world, self.covered)

    @cached_property
    def leaps(self) -> dict[int, Leap]:
        """Frames from which on everything steps aside together, where the log says how the car moved."""
        if not self.poses_known:
            return {}
        return leaps_of(self.motion, self.by_frame, self.world.dst_from_box.yaws_rad)

    @cached_property
    def beside_leaps(self) -> Bools:
        """(N,) whether the car's pose leaps at the frame of a box, or next to it."""
        leaping = np.zeros(len(self.log) + 2, dtype=np.bool_)
        leaping[[frame + off for frame in self.leaps for off in (0, 1)]] = True
        return np.asarray(leaping[self.frames + 1] | leaping[self.frames])

    def beside_steps(self, least_m: float) -> Bools:
        """(N,) where the boxes about one step aside by so much that how fast it goes cannot be told."""
        steps = np.nan_to_num(np.linalg.norm(self.motion.step_m, axis=1)) > least_m
        beside = np.zeros(len(self), dtype=np.bool_)
        for row in np.flatnonzero(steps):
            span = self.rows(int(self.owners[row]))
            beside[max(span.start, row - ABOUT) : min(span.stop, row + ABOUT)] = True
        return beside

    @cached_property
    def by_frame(self) -> dict[int, I64]:
        """The rows of each frame of the log."""
        order = np.argsort(self.frames, kind="stable")
        order = order[self.frames[order] >= 0]
        frames, first = np.unique(self.frames[order], return_index=True)
        parts = np.split(order, first[1:])
        return {int(frame): rows for frame, rows in zip(frames, parts, strict=True)} if len(order) else {}

    @cached_property
    def shared(self) -> Shared:
        """Which boxes of one frame lie in each other."""
        return Shared.of(self.boxes, self.by_frame.values())

    def episodes(self, wrong: Bools, gap: int = 3) -> Iterator[I64]:
        """The rows that are wrong, those of one track together that are at most a few rows apart."""
        rows = np.flatnonzero(wrong)
        apart = (np.diff(rows) > gap) | (np.diff(self.owners[rows]) != 0)
        return iter(np.split(rows, np.flatnonzero(apart) + 1)) if len(rows) else iter(())
