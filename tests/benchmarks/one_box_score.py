"""How well boxes follow the true objects of a drive of which one frame was given."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields

import numpy as np

from autolabel.points import Seeds
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.align import points_in_ego
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes, iou_3d_paired
from tests.benchmarks.one_box_drives import Drive

LEAST_POINTS, MOVED_M = 5, 1.0
PEOPLE = (Kind.PEDESTRIAN, Kind.ANIMAL, Kind.OTHER)


@dataclass(frozen=True)
class Truth:
    """What is true of one object of the seed frame, in ego.

    Attributes:
        group: moving or parked, and what.
        frames: numbers of the frames that count.
        boxes: in these frames.
        given: points on it in the frame in which it is given.
    """

    group: str
    frames: I64
    boxes: Boxes
    given: int


def truths(drive: Drive, ids: list[str], frames_ns: I64) -> dict[str, Truth]:
    """Of each object, all frames but the seed's with enough points on it."""
    counts: dict[tuple[str, int], int] = {}
    for t in frames_ns.tolist():
        ref = drive.log.sweep_at(t)
        present = [(track.id, a.box) for track, a in drive.truth.at(t)]
        if ref is not None and present:
            points = points_in_ego(drive.log, ref.read())
            found = count_points_in_boxes(points, Boxes.stack(box for _, box in present))
            counts |= {(id, t): int(n) for (id, _), n in zip(present, found, strict=True)}
    number = {t: k for k, t in enumerate(frames_ns.tolist())}
    seed_ns = int(frames_ns[drive.seed])
    result = {}
    for id in ids:
        track = drive.truth.tracks[id]
        seen = [t for t in track.annotations if t != seed_ns and counts.get((id, t), 0) >= LEAST_POINTS]
        boxes = Boxes.stack(track.annotations[t].box for t in seen)
        frames = np.array([number[t] for t in seen], dtype=np.int64)
        result[id] = Truth(group_of(drive.log, track), frames, boxes, counts.get((id, seed_ns), 0))
    return result


def group_of(log: DriveLog, track: Track) -> str:
    """What is counted together."""
    kind, instants = kind_of(track.category), [t for t in track.annotations if log.trajectory.covers(t)]
    places = np.array([log.trajectory.at(t) @ track.annotations[t].box.center for t in instants])
    moving = np.linalg.norm(places[:, :2] - places[0, :2], axis=1).max() > MOVED_M
    if not moving:
        return "parked things"
    return "moving vehicles" if kind.is_vehicle else "moving people" if kind in PEOPLE else "moving others"


@dataclass(frozen=True)
class Given:
    """What each way starts from: boxes of the seed frame in the local world of a log.

    Attributes:
        world: of the log.
        scans: of the log.
        ids: of the objects.
        seeds: their boxes.
    """

    world: LocalWorld
    scans: Scans
    ids: list[str]
    seeds: Seeds

    @classmethod
    def of(cls, scans: Scans, drive: Drive) -> Given:
        """From the boxes of the drive's seed frame."""
        world, seed_ns = scans.world, int(scans.frames_ns[drive.seed])
        present = [(track.id, track.category, a) for track, a in drive.truth.at(seed_ns)]
        ids = [id for id, _, _ in present]
        return cls(world, scans, ids, Seeds.of(((name, a) for _, name, a in present), world, scans.frames_ns))

    def boxes(self, poses: F64, k: int, frames: I64) -> Boxes:
        """Of one object at some frames, in ego, from (K, F, 4) poses in the local world."""
        rows, size = poses[k, frames], self.seeds.sizes_lwh_m[k]
        turns = np.zeros((len(rows), 3, 3))
        c, s = np.cos(rows[:, 3]), np.sin(rows[:, 3])
        turns[:, 0, 0], turns[:, 0, 1], turns[:, 1, 0], turns[:, 1, 1], turns[:, 2, 2] = c, -s, s, c, 1
        local_from_box = SE3Batch(turns, rows[:, :3])
        ego_from_local = self.world.local_from_ego(self.scans.frames_ns[frames]).inverse()
        ego_from_box = ego_from_local @ local_from_box
        return Boxes(ego_from_box, np.tile(size, (len(rows), 1)))


def copied(given: Given) -> F64:
    """Every object stays where it is in the world."""
    return np.repeat(given.seeds.poses[:, None], len(given.scans), axis=1)


def even(given: Given, drive: Drive) -> F64:
    """Every object keeps the velocity that a second true box, of the next frame, tells."""
    poses, frames_ns = copied(given), given.scans.frames_ns
    later = drive.seed + 1
    for k, id in enumerate(given.ids):
        second = drive.truth.tracks[id].annotations.get(int(frames_ns[later]))
        if second is None:
            continue
        after = Seeds.of([(drive.truth.tracks[id].category, second)], given.world, frames_ns).poses[0]
        ends_s = given.world.seen_s(
            frames_ns[[drive.seed, later]], np.stack([given.seeds.poses[k], after])[:, :3]
        )
        velocity = (after - given.seeds.poses[k])[:3] / (ends_s[1] - ends_s[0])
        at_s = given.world.seen_s(frames_ns, poses[k, :, :3])
        poses[k, :, :3] += (at_s - ends_s[0])[:, None] * velocity
    return poses


@dataclass(frozen=True)
class Marks:
    """How good the boxes of a group of objects are.

    Attributes:
        ious: (N,).
        off_m: (N,) errors of the centres on the ground.
        taken: (N,) where another object is nearer.
        seen: (N,) whether the object had enough points in the frame in which it was given.
    """

    ious: F64
    off_m: F64
    taken: Bools
    seen: Bools

    @classmethod
    def joined(cls, several: list[Marks]) -> Marks:
        """All together."""
        names = [field.name for field in fields(cls)]
        none = (np.empty(0), np.empty(0), np.empty(0, bool), np.empty(0, bool))
        if not several:
            return cls(*none)
        return cls(*(np.concatenate([getattr(marks, name) for marks in several]) for name in names))


def scored(given: Given, poses: F64, known: dict[str, Truth]) -> dict[str, Marks]:
    """The marks by group."""
    groups: dict[str, list[Marks]] = defaultdict(list)
    for k, id in enumerate(given.ids):
        truth = known[id]
        if len(truth.frames):
            boxes = given.boxes(poses, k, truth.frames)
            off = boxes.dst_from_box.translations - truth.boxes.dst_from_box.translations
            off_m = np.linalg.norm(off[:, :2], axis=1)
            taken = taken_for_another(boxes, off_m, known, id, truth.frames)
            seen = np.full(len(off_m), truth.given >= LEAST_POINTS)
            groups[truth.group].append(Marks(iou_3d_paired(boxes, truth.boxes), off_m, taken, seen))
    return {name: Marks.joined(several) for name, several in groups.items()}


def taken_for_another(boxes: Boxes, off_m: F64, known: dict[str, Truth], id: str, frames: I64) -> Bools:
    """Where the box lies nearer to another true object than to its own, and more than a metre off."""
    taken = np.zeros(len(frames), dtype=bool)
    for other, truth in known.items():
        if other == id:
            continue
        _, mine, theirs = np.intersect1d(frames, truth.frames, return_indices=True)
        places = boxes.dst_from_box.translations[mine] - truth.boxes.dst_from_box.translations[theirs]
        taken[mine] |= (np.linalg.norm(places[:, :2], axis=1) < off_m[mine]) & (off_m[mine] > 1.0)
    return taken
