"""How well drives through one street are laid on each other, and what becomes of their labels.

`python -m tests.benchmarks.trips` prints the tables, with `--write` it writes docs/trips.md. `--cache FOLDER`
keeps simulated sweeps there. The rows marked "tuned" are those that settings were chosen on.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from autolabel.trips import Alignment, TripsConfig, align, share
from autolabel.trips.things import things
from calib import SE3, SE3Batch
from formats.registry import find_format
from fusion import Boxes, DriveLog, Sweep, SweepRef, Trajectory
from fusion.edits import PutAnnotations, PutTrack, apply_automatic
from fusion.labels import LabelSet, Source
from fusion.overlap import iou_3d, iou_3d_paired
from fusion.simulate import Drive, SimulationConfig, visible_only
from tests.conftest import REPOSITORY, SHARED_DATA

PAGE = REPOSITORY / "docs" / "trips.md"
PAIRS = (("curve", 7), ("straight", 13), ("curve", 100), ("stop", 101), ("straight", 102), ("curve", 103))
TUNED = {"curve 7", "straight 13", "PandaSet 002"}
SPEEDS_MPS = {"curve": 8.0, "stop": 9.0, "straight": 12.0}
LEAST_POINTS, FARTHEST_M = 5, 1000.0
DRIFT_SHARE, DRIFT_DEG_PER_M, RISE_M = 0.01, 0.01, 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """Two drives through one street with what is true of them.

    Attributes:
        name: of the row.
        logs: with true poses.
        labels: what is seen in each.
        everything: all that is there, near or far, hidden or not.
        same: ids of the first trip's objects that stand in the second as well, and their ids there.
    """

    name: str
    logs: tuple[DriveLog, DriveLog]
    labels: tuple[LabelSet, LabelSet]
    everything: tuple[LabelSet, LabelSet]
    same: dict[str, str] = field(default_factory=dict)

    @property
    def marked(self) -> str:
        """With a remark where settings were chosen on it."""
        return f"{self.name} (tuned)" if self.name in TUNED else self.name


def simulated(style: str, seed: int, cache: Path | None) -> Pair:
    """Two drives of six seconds on different days, each sweep cast once."""
    drives = [Drive(trip_config(style, seed, trip)) for trip in (0, 1)]
    first, second = (_read_once(drive, cache) for drive in drives)
    places = [
        {a.id: a.trajectory.world_from_ego[0].translation for a in drive.actors if not a.moving}
        for drive in drives
    ]
    same = {a: b for a, p in places[0].items() for b, q in places[1].items() if np.abs(p - q).max() < 1e-6}
    labels = [visible_only(log, d.labels(), 1) for log, d in zip((first, second), drives, strict=True)]
    for drive in drives:
        drive.config = replace(drive.config, label_range_m=FARTHEST_M)
    everything = (drives[0].labels(), drives[1].labels())
    return Pair(f"{style} {seed}", (first, second), (labels[0], labels[1]), everything, same)


def trip_config(style: str, seed: int, trip: int) -> SimulationConfig:
    """Six seconds without cameras."""
    name = f"{style} {seed} trip {trip}"
    return SimulationConfig(name, seed, trip, 6.0, style=style, ego_speed_mps=SPEEDS_MPS[style], cameras=0)


def _read_once(drive: Drive, cache: Path | None) -> DriveLog:
    log, config = drive.log(), drive.config
    file = cache / f"{config.style}{config.seed}-{config.trip}.npz" if cache else None
    if file and file.is_file():
        kept = np.load(file)
        sweeps = [
            Sweep(ref.lidar, ref.timestamp_ns, kept[f"p{k}"], offset_ns=kept[f"o{k}"], deskewed=False)
            for k, ref in enumerate(log.sweeps["lidar_top"])
        ]
    else:
        sweeps = [ref.read() for ref in log.sweeps["lidar_top"]]
    if file and not file.is_file():
        columns = {f"p{k}": sweep.points for k, sweep in enumerate(sweeps)}
        np.savez(file, **columns, **{f"o{k}": sweep.offset_ns for k, sweep in enumerate(sweeps)})
    refs = tuple(SweepRef(sweep.lidar, sweep.timestamp_ns, lambda sweep=sweep: sweep) for sweep in sweeps)
    return replace(log, sweeps={"lidar_top": refs})


def real() -> Pair | None:
    """PandaSet 002, its even frames one trip and its odd ones the other."""
    path = SHARED_DATA / "pandaset"
    if not path.is_dir():
        print(f"(no PandaSet at {path})")
        return None
    log = find_format(path).open_log(path, "002")
    labels = find_format(path).read_labels(path, log)
    logs, halves = [], []
    for start in (0, 1):
        frames = set(log.timestamps_ns[start::2].tolist())
        sweeps = {"pandar64": tuple(r for r in log.sweeps["pandar64"] if r.timestamp_ns in frames)}
        name = f"002 {'odd' if start else 'even'}"
        logs.append(replace(log, name=name, timestamps_ns=log.timestamps_ns[start::2], sweeps=sweeps))
        own = (track.without(set(track.annotations) - frames) for track in labels.tracks.values())
        halves.append(visible_only(logs[-1], LabelSet.of(t for t in own if t.annotations), 1))
    standing = {thing.track.id for thing in things(0, logs[0], halves[0], TripsConfig().share)}
    both = {id: id for id in standing if id in halves[1].tracks}
    there = (halves[0], halves[1])
    return Pair("PandaSet 002", (logs[0], logs[1]), there, there, both)


def disturbed(log: DriveLog, seed: int, off_m: float, off_deg: float) -> DriveLog:
    """A log whose poses are off as a whole and drift: by 1 % of the way, 0.01 degrees a metre."""
    rng = np.random.default_rng((seed, 51))
    where, drift = rng.uniform(0, 2 * np.pi, 2)
    sign = rng.choice([-1.0, 1.0])
    given = log.trajectory.world_from_ego
    places = given.translations
    way_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    turns = np.radians(sign * (off_deg + DRIFT_DEG_PER_M * way_m))
    bad_from_world = SE3Batch.stack(SE3.from_yaw(float(turn)) for turn in turns)
    middle = places[len(places) // 2]
    turned = np.einsum("nij,nj->ni", bad_from_world.rotations, places - middle) + middle
    turned += off_m * np.array([np.cos(where), np.sin(where), 0.0]) + np.array([0, 0, RISE_M])
    turned += way_m[:, None] * DRIFT_SHARE * np.array([np.cos(drift), np.sin(drift), 0.2])
    bad_from_ego = SE3Batch(bad_from_world.rotations @ given.rotations, turned)
    return replace(log, trajectory=Trajectory(log.trajectory.timestamps_ns, bad_from_ego))


def off(found: Trajectory, log: DriveLog) -> str:
    """Median and worst distance from the true poses of a log's frames, and of their turn."""
    ego_from_found = log.trajectory.at_many(log.timestamps_ns).inverse() @ found.at_many(log.timestamps_ns)
    ways_cm = 100 * np.linalg.norm(ego_from_found.translations, axis=1)
    turns_deg = [np.degrees(np.linalg.norm(motion.rotation_vector_rad)) for motion in ego_from_found]
    return (
        f"{np.median(ways_cm):.1f} / {ways_cm.max():.1f} cm | "
        f"{np.median(turns_deg):.3f} / {max(turns_deg):.3f} deg"
    )


def alignment_row(pair: Pair, off_m: float, off_deg: float) -> tuple[str, Alignment]:
    """A row of the first table: how far off before and after."""
    first, second = pair.logs
    bad = disturbed(second, len(pair.name) + int(off_m), off_m, off_deg)
    begun_s = time.process_time()
    alignment = align([first, bad])
    spent_ms = 1e3 * (time.process_time() - begun_s) / (len(first) + len(second))
    trip = alignment.trips[1]
    worst_m = np.linalg.norm(
        (second.trajectory.at_many(second.timestamps_ns)).translations
        - bad.trajectory.at_many(second.timestamps_ns).translations,
        axis=1,
    ).max()
    agreement = 100 * np.nanmedian(trip.agreement)
    row = (
        f"| {pair.marked} | {off_m:.0f} m, {off_deg:.0f} deg ({worst_m:.1f} m) | "
        f"{off(trip.trajectory, second)} | {int(trip.on_others.sum())} of {len(trip.stations_ns)} | "
        f"{agreement:.0f} % | {spent_ms:.0f} |"
    )
    return row, alignment


def carried_row(pair: Pair, alignment: Alignment, into: int) -> str:
    """A row of the second table: the labels of one trip, carried into the other that has none."""
    given = list(zip(pair.logs, (LabelSet(), LabelSet()), strict=True))
    given[1 - into] = (pair.logs[1 - into], pair.labels[1 - into])
    begun_s = time.process_time()
    shared = share(given, alignment)
    spent_ms = 1e3 * (time.process_time() - begun_s) / (len(pair.logs[0]) + len(pair.logs[1]))
    same = pair.same if into else {b: a for a, b in pair.same.items()}
    truth = pair.labels[into]
    ious: list[float] = []
    wanted = found = invented = other = 0
    put = {edit.track.id: edit.track for edit in shared.edits[into] if isinstance(edit, PutTrack)}
    for id, track in put.items():
        partner = truth.tracks.get(same.get(id, ""))
        for timestamp_ns, annotation in track.annotations.items():
            if partner is not None and timestamp_ns in partner.annotations:
                boxes = [Boxes.stack([a.box]) for a in (annotation, partner.annotations[timestamp_ns])]
                ious.append(float(iou_3d_paired(*boxes)[0]))
            elif id not in same:
                box, there = Boxes.stack([annotation.box]), pair.everything[into].at(timestamp_ns)
                best = float(iou_3d(box, Boxes.stack(a.box for _, a in there)).max(initial=0.0))
                other, invented = other + (best >= 0.5), invented + (best < 0.5)
    for a, b in same.items():
        if a in pair.labels[1 - into].tracks and b in truth.tracks:
            seen = truth.tracks[b].annotations.items()
            frames = [t for t, s in seen if int(str(s.attributes["num_points"])) >= LEAST_POINTS]
            wanted += len(frames)
            found += sum(a in put and t in put[a].annotations for t in frames)
    changed, good = sum(f.changed for f in shared.findings), 100 * np.mean(np.array(ious) >= 0.9)
    return (
        f"| {pair.marked} | {1 - into} to {into} | {len(put)} | {found} of {wanted} | "
        f"{np.median(ious):.3f} | {np.min(ious):.3f} | {good:.1f} % | {invented} | {other} | {changed} | "
        f"{spent_ms:.0f} |"
    )


def noisy(labels: LabelSet, ids: Iterable[str], seed: int) -> LabelSet:
    """Boxes as a detector gives them: each object's off by 10 cm, 1.5 degrees and 4 % of its size."""
    rng = np.random.default_rng((seed, 53))
    tracks = []
    for id in ids:
        if id not in labels.tracks:
            continue
        track = labels.tracks[id]
        shift, turn = rng.normal(0, 0.1, 3) * [1, 1, 0.4], SE3.from_yaw(float(np.radians(rng.normal(0, 1.5))))
        scale = 1 + rng.normal(0, 0.04, 3)
        moved = []
        for annotation in track.annotations.values():
            box = annotation.box
            box_from_bad = SE3(turn.rotation, shift)
            length_m, width_m, height_m = (box.size_lwh_m * scale).tolist()
            ego_from_bad = box.ego_from_box @ box_from_bad
            new = replace(
                box, ego_from_box=ego_from_bad, length_m=length_m, width_m=width_m, height_m=height_m
            )
            moved.append(replace(annotation, box=new, source=Source.AUTO))
        tracks.append(replace(track, annotations={a.timestamp_ns: a for a in moved}))
    return LabelSet.of(tracks)


def voted_row(pair: Pair, alignment: Alignment) -> str:
    """A row of the third table: noisy labels of both trips before and after they were made one."""
    given = [noisy(pair.labels[0], pair.same.keys(), 1), noisy(pair.labels[1], pair.same.values(), 2)]
    shared = share(list(zip(pair.logs, given, strict=True)), alignment)
    before, after = [], []
    for labels, truth, edits in zip(given, pair.labels, shared.edits, strict=True):
        for edit in edits:
            if isinstance(edit, PutAnnotations):
                put = apply_automatic(labels, edit).tracks[edit.track_id]
                for t, annotation in labels.tracks[edit.track_id].annotations.items():
                    true = Boxes.stack([truth.tracks[edit.track_id].annotations[t].box])
                    before.append(float(iou_3d_paired(Boxes.stack([annotation.box]), true)[0]))
                    after.append(float(iou_3d_paired(Boxes.stack([put.annotations[t].box]), true)[0]))
    if not before:
        return f"| {pair.marked} | 0 | - | - |"
    return f"| {pair.marked} | {len(before)} | {np.median(before):.3f} | {np.median(after):.3f} |"


def strangers_row(pairs: list[Pair]) -> str:
    """What becomes of drives through different streets whose worlds have one origin."""
    alignment = align([pair.logs[0] for pair in pairs])
    met = [trip.log for trip in alignment.trips if trip.meets]
    return f"{len(pairs)} drives through different streets at one place: {len(met)} are laid on another."


def report(cache: Path | None) -> Iterable[str]:
    """The page, line by line."""
    pairs = [simulated(style, seed, cache) for style, seed in PAIRS]
    panda = real()
    pairs += [panda] if panda else []
    yield "# Several drives through one place\n"
    yield "How far the second trip's poses lie off the truth when laid on the first, median / worst frame.\n"
    yield "| drives | poses off by | place | turn | scans laid | agree | CPU ms a sweep |"
    yield "|---|---|---|---|---|---|---|"
    laid = []
    align([pairs[0].logs[0], pairs[0].logs[1]])
    for pair in pairs:
        for off_m, off_deg in ((2.0, 3.0), (10.0, 5.0)):
            row, alignment = alignment_row(pair, off_m, off_deg)
            laid += [alignment] if off_m == 2.0 else []
            yield row
    yield "\n" + strangers_row([pair for pair in pairs if pair is not panda]) + "\n"
    yield "Labels of what stands still carried into the other trip (poses off by 2 m and 3 degrees). Frames:"
    yield f"those in which the object stands there and has {LEAST_POINTS} points or more.\n"
    yield (
        "| drives | from, to | objects | frames | IoU median | least | at .9 | invented | like another | "
        "changed | CPU ms a sweep |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for pair, alignment in zip(pairs, laid, strict=True):
        yield carried_row(pair, alignment, 1)
        yield carried_row(pair, alignment, 0)
    yield "\nNoisy labels of both trips made one: IoU with the truth.\n"
    yield "| drives | boxes | before | after |"
    yield "|---|---|---|---|"
    for pair, alignment in zip(pairs, laid, strict=True):
        yield voted_row(pair, alignment)


def main() -> None:
    """Prints the page, and writes it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/trips.md")
    parser.add_argument("--cache", type=Path, help="keep simulated sweeps here")
    arguments = parser.parse_args()
    lines = []
    for line in report(arguments.cache):
        print(line, flush=True)
        lines.append(line)
    if arguments.write:
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
