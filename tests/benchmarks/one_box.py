"""One true box of each object, and how well its way through the whole drive is found from its points.

`python -m tests.benchmarks.one_box` prints the tables; with `--write` they go to docs/one_box.md; names of
drives after it (`pandaset`, `stop-100`, ...) measure only these.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from autolabel import ego
from autolabel.points import Seeds, trace
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from formats.pandaset import PANDASET
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog, SweepRef
from fusion.overlap import count_points_in_boxes, iou_3d_paired
from fusion.simulate import SimulationConfig, simulate
from fusion.trajectory import Trajectory
from tests.conftest import REPOSITORY, SHARED_DATA

LEAST_POINTS, MOVED_M = 5, 1.0
DROPPED_EVERY, SHIFTED, SHIFTS_M = 5, 0.05, (0.5, 2.0)
PEOPLE = (Kind.PEDESTRIAN, Kind.ANIMAL, Kind.OTHER)
TUNED = "tuned on"
REPORTED = "reported"


@dataclass(frozen=True)
class Drive:
    """A drive, its truth, and the frame in which the boxes are given.

    Attributes:
        name: of the row.
        use: whether constants were chosen on it.
        log: with sweeps that are kept once read.
        truth: all objects at all frames.
        seed: number of the frame.
    """

    name: str
    use: str
    log: DriveLog
    truth: LabelSet
    seed: int


def kept(log: DriveLog) -> DriveLog:
    """The log with compensated sweeps of its main LiDAR that are read once."""
    main, memory = log.rig.main_lidar, {}
    assert main is not None

    def reader(ref: SweepRef):
        def read():
            if ref.timestamp_ns not in memory:
                memory[ref.timestamp_ns] = replace(read_deskewed(log, ref), ring=None)
            return memory[ref.timestamp_ns]

        return read

    refs = tuple(replace(ref, load=reader(ref)) for ref in log.sweeps[main.name])
    return replace(log, sweeps={main.name: refs}, images={})


def drives(wanted: set[str]) -> Iterator[Drive]:
    """Those asked for, or all."""
    path = SHARED_DATA / "pandaset"
    for seed, use in ((3, TUNED), (18, TUNED), (11, "contract")):
        name = f"pandaset-{seed}"
        if (wanted and name not in wanted) or not path.is_dir():
            print(f"{name}: left out" + ("" if path.is_dir() else f", there is no {path}"), flush=True)
            continue
        log = PANDASET.open_log(path / "002", "002")
        yield Drive(name, use, kept(log), PANDASET.read_labels(path / "002", log), seed)
    for style, seed, use in (
        ("stop", 1, TUNED),
        ("stop", 100, REPORTED),
        ("curve", 101, REPORTED),
        ("straight", 102, REPORTED),
    ):
        name = f"{style}-{seed}"
        if wanted and name not in wanted:
            continue
        config = replace(SimulationConfig.full(), seed=seed, style=style, cameras=0)
        log, truth = simulate(config)
        yield Drive(name, use, kept(log), truth, len(log) // 2)


def without_some_scans(log: DriveLog) -> DriveLog:
    """Every fifth scan is lost."""
    return replace(
        log,
        sweeps={
            name: tuple(ref for k, ref in enumerate(refs) if k % DROPPED_EVERY != DROPPED_EVERY - 1)
            for name, refs in log.sweeps.items()
        },
    )


def with_shifted_poses(log: DriveLog, seed: int) -> DriveLog:
    """One pose a frame, one of twenty shifted by 0.5 to 2 m; that of the seed is right."""
    rng, frames_ns = np.random.default_rng(5), log.timestamps_ns
    covered = (frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)
    frames_ns = frames_ns[covered]
    poses = log.trajectory.at_many(frames_ns)
    places = poses.translations.copy()
    count = max(1, round(SHIFTED * len(places)))
    for k in rng.choice(np.setdiff1d(np.arange(2, len(places) - 2), [seed]), count, replace=False):
        angle_rad, far_m = rng.uniform(0, 2 * np.pi), rng.uniform(*SHIFTS_M)
        places[k, :2] += far_m * np.array([np.cos(angle_rad), np.sin(angle_rad)])
    return replace(log, trajectory=Trajectory(frames_ns, SE3Batch(poses.rotations, places)))


@dataclass(frozen=True)
class Truth:
    """What is true of one object of the seed frame, in ego.

    Attributes:
        group: moving or parked, and what.
        frames: numbers of the frames that count.
        boxes: in these frames.
    """

    group: str
    frames: I64
    boxes: Boxes


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
        result[id] = Truth(group_of(drive.log, track), frames, boxes)
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
    def of(cls, log: DriveLog, drive: Drive) -> Given:
        world = LocalWorld.of(log)
        scans = Scans(world)
        seed_ns = int(scans.frames_ns[drive.seed])
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


def scored(given: Given, poses: F64, known: dict[str, Truth]) -> dict[str, tuple[F64, F64, Bools]]:
    """By group the IoUs, the errors of centres on the ground, and whether another object is nearer."""
    groups: dict[str, list[tuple[F64, F64, Bools]]] = defaultdict(list)
    for k, id in enumerate(given.ids):
        truth = known[id]
        if len(truth.frames):
            boxes = given.boxes(poses, k, truth.frames)
            off = boxes.dst_from_box.translations - truth.boxes.dst_from_box.translations
            off_m = np.linalg.norm(off[:, :2], axis=1)
            taken = taken_for_another(boxes, off_m, known, id, truth.frames)
            groups[truth.group].append((iou_3d_paired(boxes, truth.boxes), off_m, taken))
    return {name: tuple(map(np.concatenate, zip(*rows, strict=True))) for name, rows in groups.items()}


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


HEAD = (
    "| drive | | way | vehicles .5 | .7 | people .5 | centre m | parked .5 | identity | objects a s |\n"
    "|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


def row(drive: Drive, way: str, given: Given, poses: F64, known: dict[str, Truth], rate: float | None) -> str:
    """One line of the table."""
    groups = scored(given, poses, known)
    none = (np.empty(0), np.empty(0), np.empty(0, bool))
    vehicles, people, parked = (
        groups.get(name, none) for name in ("moving vehicles", "moving people", "parked things")
    )
    taken = np.concatenate([taken for _, _, taken in groups.values()])

    def share(values: Bools) -> str:
        return f"{values.mean():.3f}" if len(values) else "-"

    cells = [
        drive.name,
        drive.use,
        way,
        share(vehicles[0] >= 0.5),
        share(vehicles[0] >= 0.7),
        share(people[0] >= 0.5),
        f"{np.median(people[1]):.3f}" if len(people[1]) else "-",
        share(parked[0] >= 0.5),
        share(~taken),
        "" if rate is None else f"{rate:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def lines(wanted: set[str]) -> Iterator[str]:
    """The table, line by line."""
    yield from HEAD.split("\n")
    for drive in drives(wanted):
        given = Given.of(drive.log, drive)
        known = truths(drive, given.ids, given.scans.frames_ns)
        yield row(drive, "copied in the world", given, copied(given), known, None)
        yield row(drive, "constant velocity", given, even(given, drive), known, None)
        shifted = with_shifted_poses(drive.log, drive.seed)
        repaired = replace(shifted, trajectory=ego.repair(shifted, ego.check(shifted)))
        for way, log in (
            ("**points**", drive.log),
            ("points, every 5th scan dropped", without_some_scans(drive.log)),
            ("points, 5 % of poses shifted", shifted),
            ("points, shifted poses repaired", repaired),
        ):
            given = Given.of(log, drive)
            for _ in given.scans:
                pass
            start_s = time.perf_counter()
            ways = trace(given.scans, given.seeds)
            rate = ways.poses.shape[0] * ways.poses.shape[1] / (time.perf_counter() - start_s)
            yield row(drive, way, given, ways.poses, known, rate)


TEXT = """# From one box

    python -m tests.benchmarks.one_box --write

Of every object the true box of **one** frame is given; its boxes in all other frames are found from its
own points (`autolabel/points`). Scored are all frames in which the object has at least {least} LiDAR
points: the share of moving vehicles found at 3D IoU 0.5 and 0.7, of moving people at 0.5 with the median
error of their centres on the ground, of parked things at 0.5, and the share of boxes that did not go over
to another object.

{table}

- **copied in the world**: the car's own motion is taken out, nothing else.
- **constant velocity**: it takes a second true box, of the next frame.
- **dropped**: every fifth scan is missing; the labels of its frame are asked for all the same.
- **shifted**: one pose in twenty is off by {low} to {high} m for one frame; **repaired**: by
  `autolabel.ego` first.
- The last column counts objects times frames a second on one thread, reading of the scans left out.

PandaSet is sequence 002, 22 frames; `pandaset-11` is the contract. Simulated drives take twenty seconds.
"""


def main() -> None:
    """Measures, prints, and writes docs/one_box.md where asked to."""
    wanted = {name for name in sys.argv[1:] if not name.startswith("-")}
    table = []
    for line in lines(wanted):
        table.append(line)
        print(line, flush=True)
    if "--write" in sys.argv:
        page = TEXT.format(table="\n".join(table), least=LEAST_POINTS, low=SHIFTS_M[0], high=SHIFTS_M[1])
        target: Path = REPOSITORY / "docs" / "one_box.md"
        target.write_text(page, encoding="utf-8")
        sys.stdout.write(f"wrote {target.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
