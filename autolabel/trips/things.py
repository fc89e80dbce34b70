"""What stands still on one trip: its box in the world, and the points that it was seen by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autolabel.trips.config import ShareConfig
from autolabel.trips.view import View
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.overlap import points_in_boxes

ALIVE = frozenset({Kind.PEDESTRIAN, Kind.ANIMAL})
THIRD = 3
MOST_WEIGHT = 2000.0
FACE_M = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class Thing:
    """One object of one trip that stood still on it.

    Attributes:
        trip: number of the trip.
        track: as it is labelled there.
        world_from_box: where it stands, in the common world.
        size_lwh_m: (3,) of its box.
        surface_box: (N, 3) where it and what touches it were seen, in its box frame.
        weight: how well it was seen.
    """

    trip: int
    track: Track
    world_from_box: SE3
    size_lwh_m: F64
    surface_box: F64
    weight: float

    @property
    def surface_world(self) -> F64:
        """(N, 3) where it was seen, in the world."""
        return self.world_from_box @ self.surface_box

    @property
    def own(self) -> F64:
        """(M, 3) of these points those inside of its box, in the box frame."""
        return np.asarray(self.surface_box[inside(self.surface_box, self.size_lwh_m, FACE_M)])

    @property
    def is_protected(self) -> bool:
        """Whether a person drew or confirmed it."""
        return any(protected(a) for a in self.track.annotations.values())

    @property
    def chance(self) -> float:
        """That it is there at all, as its detector says of the track, else of its boxes; 1 if nobody does."""
        if self.is_protected:
            return 1.0
        said = self.track.attributes.get("score")
        return float(said) if isinstance(said, int | float) else self.score

    @property
    def score(self) -> float:
        """Of its boxes; 1 where they have none."""
        known = [a.score for a in self.track.annotations.values() if a.score is not None]
        return float(np.median(known)) if known else 1.0


def protected(annotation: Annotation) -> bool:
    """Whether an annotation stays as it is."""
    return annotation.locked or annotation.source is Source.HUMAN


def inside(points_box: F64, size_lwh_m: F64, grown_m: float) -> Bools:
    """(N,) which points of the box frame lie in a grown box."""
    return np.asarray((np.abs(points_box) <= size_lwh_m / 2 + grown_m).all(axis=1))


def spaced_views(log: DriveLog, spacing_m: float) -> Iterator[tuple[int, View]]:
    """Scans of a log so far apart on its way; all where that is nothing."""
    frames_ns = log.timestamps_ns
    frames_ns = frames_ns[(frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)]
    if len(frames_ns) == 0:
        return
    if spacing_m > 0:
        places = log.trajectory.at_many(frames_ns).translations
        along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
        _, first = np.unique(np.floor(along_m / spacing_m), return_index=True)
        frames_ns = frames_ns[np.union1d(first, [len(frames_ns) - 1])]
    for frame_ns in frames_ns.tolist():
        view = View.of(log, frame_ns)
        if view is not None:
            yield frame_ns, view


def things(trip: int, log: DriveLog, labels: LabelSet, config: ShareConfig) -> list[Thing]:
    """All that stands still on a trip, with the points it was seen by at its labelled frames."""
    standing = [
        (track, pose_size)
        for track in labels.tracks.values()
        if kind_of(track.category) not in ALIVE and (pose_size := _standing(log, track, config)) is not None
    ]
    if not standing:
        return []
    boxes = Boxes(
        SE3Batch.stack(pose for _, (pose, _) in standing), np.array([size for _, (_, size) in standing])
    )
    found: list[list[F64]] = [[] for _ in standing]
    for frame_ns, view in spaced_views(log, config.spacing_m):
        here = [k for k, (track, _) in enumerate(standing) if frame_ns in track.annotations]
        for k, points_box in zip(here, seen_in(view, boxes, here, config), strict=True):
            found[k].append(points_box)
    surfaces = [thinned(parts, config.voxel_m) for parts in found]
    return [
        Thing(trip, track, pose, size, surface, min(float(len(surface)), MOST_WEIGHT))
        for (track, (pose, size)), surface in zip(standing, surfaces, strict=True)
    ]


def seen_in(view: View, boxes: Boxes, which: list[int], config: ShareConfig) -> list[F64]:
    """Points of a scan in and around some boxes of the world, above the ground, in the box frames."""
    if not which:
        return []
    rows = np.array(which)
    world_from_box = boxes.dst_from_box.take(rows)
    ego_from_box = view.ego_from_world @ world_from_box
    some = Boxes(ego_from_box, boxes.sizes_lwh_m[rows] + 2 * config.around_m)
    found = []
    for k, members in enumerate(points_in_boxes(view.points_ego, some)):
        points_box = ego_from_box[k].inverse() @ view.points_ego[members].astype(np.float64)
        bottom_m = -boxes.sizes_lwh_m[rows[k], 2] / 2
        found.append(points_box[points_box[:, 2] > bottom_m + config.above_ground_m])
    return found


def thinned(parts: list[F64], voxel_m: float) -> F64:
    """(N, 3) the mean point of each cell of a cubic grid."""
    points = np.concatenate(parts) if parts else np.zeros((0, 3))
    cells = np.floor(points / voxel_m).astype(np.int64)
    _, member, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), 3))
    np.add.at(sums, member.reshape(-1), points)
    return sums / count[:, None]


def _standing(log: DriveLog, track: Track, config: ShareConfig) -> tuple[SE3, F64] | None:
    """Where a track stands and how large it is; None where it moves."""
    listed = [a for t, a in track.annotations.items() if log.trajectory.covers(t)]
    if not listed:
        return None
    times_ns = np.array([a.timestamp_ns for a in listed], dtype=np.int64)
    boxes = Boxes.stack(a.box for a in listed)
    world_from_ego = log.trajectory.at_many(times_ns)
    ego_from_box = boxes.dst_from_box
    world_from_box = world_from_ego @ ego_from_box
    places = world_from_box.translations
    middle = np.median(places, axis=0)
    away_m = np.linalg.norm(places - middle, axis=1)
    third = max(len(places) // THIRD, 1)
    crept_m = float(np.linalg.norm(np.median(places[-third:], axis=0) - np.median(places[:third], axis=0)))
    if np.quantile(away_m, 0.8) > config.parked_m or crept_m > config.parked_m:
        return None
    weights = _weights(listed, boxes)
    return mean_box(world_from_box, boxes.sizes_lwh_m, weights)


def _weights(annotations: list[Annotation], boxes: Boxes) -> F64:
    """What each box counts: those that a person confirmed alone, else the near ones more."""
    firm = np.array([protected(a) for a in annotations])
    near = 1 / np.maximum(np.hypot(*boxes.dst_from_box.translations[:, :2].T), 5.0) ** 2
    return np.where(firm, near, 0.0) if firm.any() else near


def mean_box(world_from_box: SE3Batch, sizes_lwh_m: F64, weights: F64) -> tuple[SE3, F64]:
    """The mean of boxes of one object, turned as the heaviest of them; some may face the other way."""
    share = weights / weights.sum()
    best = int(np.argmax(weights))
    yaws: F64 = world_from_box.yaws_rad
    off = (yaws - yaws[best] + np.pi / 2) % np.pi - np.pi / 2
    tilted = world_from_box[best].rotation
    rotation = SE3.from_yaw(float(share @ off)).rotation @ tilted
    return SE3(rotation, share @ world_from_box.translations), np.asarray(share @ sizes_lwh_m)


def stacked(found: list[Thing]) -> Boxes:
    """The boxes of things, in the world."""
    return Boxes(
        SE3Batch.stack(thing.world_from_box for thing in found),
        np.array([thing.size_lwh_m for thing in found]).reshape(-1, 3),
    )


def rows_near(view: View, boxes: Boxes, far_m: float) -> I64:
    """Which boxes of the world are near the car."""
    places = view.ego_from_world @ boxes.dst_from_box.translations
    return np.flatnonzero(np.hypot(places[:, 0], places[:, 1]) < far_m)
