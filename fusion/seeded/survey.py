"""What a log and its labels offer to put errors on, measured once and used for any number of seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F32, F64, I64, Bools
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.errors import TimeRangeError
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes
from fusion.progress import Progress
from fusion.seeded.places import Place, PlaceFinder

UNKNOWN = -1
# How data sets call the number of points in a box, for frames whose sweeps are not there.
POINT_ATTRIBUTES = ("num_interior_pts", "num_lidar_pts", "num_points")


@dataclass(frozen=True, eq=False, slots=True)
class Life:
    """A track in the world, at its annotations that are at frames of the log.

    Attributes:
        track: as it was labelled.
        frames: (N,) their numbers in the log, rising.
        timestamps_ns: (N,) int64.
        places_world: (N, 3) centres.
        points: (N,) in the box, `UNKNOWN` where nobody counted.
        in_sweep: (N,) whether the frame has a sweep.
    """

    track: Track
    frames: I64
    timestamps_ns: I64
    places_world: F64
    points: I64
    in_sweep: Bools

    def __len__(self) -> int:
        return len(self.frames)

    def lasts(self, first: int, count: int) -> bool:
        """Whether `count` annotations from one on are in as many frames, none missing between."""
        last = first + count - 1
        return 0 <= first <= last < len(self) and int(self.frames[last] - self.frames[first]) == count - 1

    def enough_points(self, first: int, count: int, least: int) -> bool:
        """Whether half of these annotations have so many points; where they are not known, yes."""
        known = self.points[first : first + count]
        known = known[known != UNKNOWN]
        return len(known) == 0 or float(np.median(known)) >= least

    def has_sweeps(self, first: int, count: int) -> bool:
        """Whether all of these annotations are in frames with a sweep."""
        return bool(self.in_sweep[first : first + count].all())

    def speed_mps(self, first: int, count: int) -> float:
        """How fast it goes in the world over these annotations, from the first to the last of them."""
        last = min(first + count, len(self)) - 1
        way_m = float(np.linalg.norm(self.places_world[last, :2] - self.places_world[first, :2]))
        return way_m / max((int(self.timestamps_ns[last]) - int(self.timestamps_ns[first])) / 1e9, 1e-9)

    @property
    def extent_m(self) -> float:
        """How far it ever is from its middle place."""
        places = self.places_world[:, :2]
        return float(np.linalg.norm(places - np.median(places, axis=0), axis=1).max(initial=0.0))

    def annotations(self, first: int, count: int) -> list[Annotation]:
        """These annotations."""
        return [self.track.annotations[t] for t in self.timestamps_ns[first : first + count].tolist()]


@dataclass(frozen=True, eq=False, slots=True)
class Survey:
    """A log with its labels, and what there is to put errors on.

    Attributes:
        log: as it was measured.
        labels: taken for right.
        lives: by track.
        places: where nothing is labelled, empty ones and ones full of points.
        has_sweeps: whether any sweep could be read.
        knows_motion: whether the car's way is known, without which nothing stands or moves for sure.
    """

    log: DriveLog
    labels: LabelSet
    lives: dict[str, Life]
    places: tuple[Place, ...]
    has_sweeps: bool
    knows_motion: bool

    @classmethod
    def of(cls, log: DriveLog, labels: LabelSet, run: int = 5, progress: Progress | None = None) -> Survey:
        """Reads every sweep once; `run` is for how many frames a place has to stay free or full."""
        knows_motion = bool(np.ptp(log.trajectory.world_from_ego.translations, axis=0).any())
        finder = PlaceFinder(log, labels, run) if knows_motion else None
        counts: dict[tuple[str, int], int] = {}
        with_sweep: set[int] = set()
        for frame, instant_ns in enumerate(log.timestamps_ns.tolist()):
            cloud = _cloud(log, instant_ns)
            if cloud is not None:
                with_sweep.add(instant_ns)
                listed = list(labels.at(instant_ns))
                boxes = Boxes.stack(annotation.box for _, annotation in listed)
                inside = count_points_in_boxes(cloud, boxes).tolist()
                counts |= {(t.id, instant_ns): n for (t, _), n in zip(listed, inside, strict=True)}
                if finder is not None:
                    finder.look(frame, cloud, boxes)
            if progress is not None:
                progress("survey", frame + 1, len(log))
        lives = {track.id: _life(log, track, counts, with_sweep) for track in labels.tracks.values()}
        places = () if finder is None else finder.found()
        return cls(log, labels, lives, places, bool(with_sweep), knows_motion)


def _cloud(log: DriveLog, instant_ns: int) -> F32 | None:
    ref = log.sweep_at(instant_ns)
    if ref is None:
        return None
    try:
        return points_in_ego(log, read_deskewed(log, ref))
    except TimeRangeError:
        return None


def _life(log: DriveLog, track: Track, counts: dict[tuple[str, int], int], with_sweep: set[int]) -> Life:
    number = {t: k for k, t in enumerate(log.timestamps_ns.tolist())}
    kept = [a for t, a in track.annotations.items() if t in number and log.trajectory.covers(t)]
    times_ns = np.array([a.timestamp_ns for a in kept], dtype=np.int64)
    world_from_ego = log.trajectory.at_many(times_ns)
    ego_from_box = Boxes.stack(a.box for a in kept).dst_from_box
    world_from_box = world_from_ego @ ego_from_box
    points = [counts.get((track.id, a.timestamp_ns), _said(a)) for a in kept]
    return Life(
        track,
        np.array([number[a.timestamp_ns] for a in kept], dtype=np.int64),
        times_ns,
        world_from_box.translations,
        np.array(points, dtype=np.int64),
        np.array([a.timestamp_ns in with_sweep for a in kept], dtype=np.bool_),
    )


def _said(annotation: Annotation) -> int:
    """How many points a data set says that a box has."""
    for name in POINT_ATTRIBUTES:
        value = annotation.attributes.get(name)
        if isinstance(value, int) and value >= 0:
            return value
    return UNKNOWN
