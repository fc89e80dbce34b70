"""Places in the world where nothing is labelled: empty ground that was seen, and clutter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from calib.se3 import SE3
from calib.types import F32, F64, I64, Floats
from fusion.boxes import Box3D, Boxes
from fusion.categories import Kind, kind_of
from fusion.ground import Ground
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes

DRAWN, TRIES = 400, 24  # points that are looked at, and candidates of either sort, a time
NEAREST_M, FARTHEST_M = 6.0, 35.0
CLEAR_M = 6.0  # to the centre of what is labelled
ABOVE_M = 0.15  # over the ground, so that its points stay out of an empty box
CLUTTER_ABOVE_M = (0.5, 2.0)
CLUTTER_REACH_M = 1.0
CLUTTER_POINTS = 10
GROUND_POINTS = 3
SHAPED = (Kind.CAR, Kind.PEDESTRIAN)


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a box can be put that belongs to nothing.

    Attributes:
        category: a class of the label set whose usual size it has.
        size_lwh_m: length, width, height.
        world_from_box: it stands still.
        frames: numbers of the frames at which it was looked at.
        points: in the box, at least, over these frames; 0 for an empty place.
    """

    category: str
    size_lwh_m: tuple[float, float, float]
    world_from_box: SE3
    frames: tuple[int, ...] = ()
    points: int = 0

    def box(self, ego_from_world: SE3) -> Box3D:
        """The box in the ego frame of an instant."""
        ego_from_box = ego_from_world @ self.world_from_box
        return Box3D(ego_from_box, *self.size_lwh_m)


@dataclass(eq=False)
class PlaceFinder:
    """Looks at one frame after the other, in order, and keeps the places that stay free or full.

    Attributes:
        log: gives the car's way.
        labels: what is not to be touched.
        run: for how many frames in a row a place has to stay as it is.
    """

    log: DriveLog
    labels: LabelSet
    run: int
    _shapes: Sequence[tuple[str, tuple[float, float, float]]] = field(init=False)
    _rng: np.random.Generator = field(init=False)
    _alive: list[Place] = field(init=False, default_factory=list)
    _found: list[Place] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._shapes = _shapes(self.labels)
        self._rng = np.random.default_rng(0)

    def look(self, frame: int, points_ego: F32, labelled: Boxes) -> None:
        """Takes the points of a frame and what is labelled in it."""
        timestamp_ns = int(self.log.timestamps_ns[frame])
        if not self._shapes or not self.log.trajectory.covers(timestamp_ns):
            return
        world_from_ego = self.log.trajectory.at(timestamp_ns)
        if frame % self.run == 0:
            self._found += [place for place in self._alive if len(place.frames) == self.run]
            self._alive = self._candidates(world_from_ego, points_ego, labelled)
        boxes = Boxes.stack(place.box(world_from_ego.inverse()) for place in self._alive)
        clear = _distances_m(boxes, labelled).min(axis=1, initial=np.inf) > CLEAR_M
        counts = count_points_in_boxes(points_ego, boxes)
        self._alive = [
            replace(place, frames=(*place.frames, frame), points=min(place.points, int(count)))
            for place, count, ok in zip(self._alive, counts, clear, strict=True)
            if ok and (count == 0 if place.points == 0 else count >= CLUTTER_POINTS)
        ]

    def found(self) -> tuple[Place, ...]:
        """All places that stayed as they were for the whole run."""
        whole = [place for place in self._alive if len(place.frames) == self.run]
        return (*self._found, *whole)

    def _candidates(self, world_from_ego: SE3, points_ego: F32, labelled: Boxes) -> list[Place]:
        _, above_m = Ground.under(points_ego)
        range_m = np.linalg.norm(points_ego[:, :2], axis=1)
        near = (range_m > NEAREST_M) & (range_m < FARTHEST_M)
        low = np.flatnonzero(near & (np.abs(above_m) < 0.1))
        lowest_m, highest_m = CLUTTER_ABOVE_M
        tall = np.flatnonzero(near & (above_m > lowest_m) & (above_m < highest_m))
        some = partial(self._some, points_ego=points_ego, labelled=labelled)
        places = [self._empty(world_from_ego, points_ego, int(k)) for k in some(low)]
        places += [self._full(world_from_ego, points_ego, above_m, int(k)) for k in some(tall)]
        return [place for place in places if place is not None]

    def _some(self, indices: I64, points_ego: F32, labelled: Boxes) -> I64:
        """Some of the points that are far from all that is labelled."""
        if len(indices) == 0:
            return indices
        drawn = self._rng.choice(indices, DRAWN)
        centers = labelled.dst_from_box.translations[None, :, :2]
        ways_m = np.linalg.norm(points_ego[drawn, None, :2] - centers, axis=2)
        return np.asarray(drawn[ways_m.min(axis=1, initial=np.inf) > CLEAR_M][:TRIES])

    def _shaped(self, world_from_ego: SE3, bottom: F64, points: int) -> Place:
        category, size = self._shapes[int(self._rng.integers(len(self._shapes)))]
        center = bottom + np.array([0.0, 0.0, size[2] / 2])
        ego_from_box = SE3.from_yaw(self._rng.uniform(-np.pi, np.pi), center)
        return Place(category, size, world_from_ego @ ego_from_box, points=points)

    def _empty(self, world_from_ego: SE3, points_ego: Floats, index: int) -> Place | None:
        """On ground that the beam has met in more than one spot, so nothing hides the place."""
        bottom = points_ego[index].astype(np.float64)
        around = np.linalg.norm(points_ego[:, :2] - bottom[:2], axis=1) < 1.0
        if around.sum() < GROUND_POINTS:
            return None
        return self._shaped(world_from_ego, bottom + np.array([0.0, 0.0, ABOVE_M]), 0)

    def _full(self, world_from_ego: SE3, points_ego: Floats, above_m: F64, index: int) -> Place:
        middle = points_ego[index].astype(np.float64)
        around = np.linalg.norm(points_ego[:, :2] - middle[:2], axis=1) < CLUTTER_REACH_M
        bottom = np.append(points_ego[around, :2].mean(axis=0), middle[2] - above_m[index])
        return self._shaped(world_from_ego, bottom, len(points_ego))


def _shapes(labels: LabelSet) -> list[tuple[str, tuple[float, float, float]]]:
    """The usual size of every class of cars and of people."""
    sizes: dict[str, list[F64]] = {}
    for track in labels.tracks.values():
        if kind_of(track.category) in SHAPED:
            sizes.setdefault(track.category, []).extend(a.box.size_lwh_m for a in track.annotations.values())
    medians = {category: np.median(each, axis=0) for category, each in sizes.items() if each}
    return [(name, (float(m[0]), float(m[1]), float(m[2]))) for name, m in sorted(medians.items())]


def _distances_m(a: Boxes, b: Boxes) -> F64:
    between = a.dst_from_box.translations[:, None, :2] - b.dst_from_box.translations[None, :, :2]
    return np.asarray(np.linalg.norm(between, axis=2))
