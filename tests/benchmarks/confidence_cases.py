"""Boxes that the pipeline makes from little and from nothing, with what is truly there."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.confidence.evidence import Evidence
from autolabel.confidence.looks import Looks
from autolabel.confidence.model import sources_of
from autolabel.config import Config
from autolabel.pipeline import Given, traced_of
from autolabel.scans import Scans
from autolabel.traced import Traced, is_given
from autolabel.world import LocalWorld
from calib.se3 import SE3
from calib.types import Bools
from formats.pandaset import PANDASET
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet
from fusion.log import DriveLog
from fusion.simulate import visible_only
from tests.benchmarks.confidence_case import DISTURBED, Case
from tests.benchmarks.detector_drives import simulated
from tests.benchmarks.found_objects import GROUPS, compared, partners_of
from tests.benchmarks.keyframes import thinned
from tests.benchmarks.kitti_tracking import TUNED as KITTI_TUNED
from tests.benchmarks.kitti_tracking import UNSEEN as KITTI_REPORTED
from tests.benchmarks.kitti_tracking import drive as kitti_drive
from tests.benchmarks.one_box_drives import TUNED as TUNED_ON
from tests.benchmarks.one_box_drives import drives, without_some_scans
from tests.conftest import SHARED_DATA

TUNED, REPORTED = tuple(range(1, 14)), (100, 101, 102, 103)
LONG = ("stop-100", "curve-101", "stop-1", "curve-2", "straight-3")
REAL_SEEDS = {11: True, 3: False, 18: False}
SURELY_LABELLED_M = 76.0
SETTINGS = Config(rectangles=False)


def all_cases(cache: Path | None, again: bool) -> Iterator[Case]:
    """All of them; where there is a folder they are kept in it, and made anew only if asked."""
    makers = [(f"simulated {seed}", partial(simulated_cases, seed, cache)) for seed in (*REPORTED, *TUNED)]
    makers += [(f"disturbed {seed}", partial(disturbed_cases, seed, cache)) for seed in TUNED]
    if (SHARED_DATA / "pandaset").is_dir():
        makers.insert(0, ("PandaSet 002", real_cases))
    if (SHARED_DATA / "kitti_tracking").is_dir():
        makers += [(f"KITTI {n}", partial(kitti_cases, n)) for n in (*KITTI_TUNED, *KITTI_REPORTED)]
    makers += [(f"long {name}", partial(long_cases, name, cache)) for name in LONG]
    for name, make in makers:
        folder = cache / "confidence" / name if cache is not None else None
        if folder is not None and folder.is_dir() and not again:
            yield from (Case.load(path) for path in sorted(folder.glob("*.npz")))
            continue
        made = list(make())
        if folder is not None:
            partly = folder.with_name(f".{folder.name}")
            partly.mkdir(parents=True, exist_ok=True)
            for number, case in enumerate(made):
                case.save(partly / f"{number}.npz")
            shutil.rmtree(folder, ignore_errors=True)
            partly.rename(folder)
        yield from made


def disturbed_cases(seed: int, cache: Path | None) -> Iterator[Case]:
    """Boxes that were put beside their objects: what is not got wrong today may be tomorrow."""
    log, truth = simulated(seed, cache)
    given = Given(only(visible_only(log, truth), log, [len(log) // 2]))
    scans = Scans(LocalWorld.of(log))
    traced = traced_of(scans, given, SETTINGS)
    rng = np.random.default_rng(seed)
    moved = [disturbed(one, rng) for one in traced]
    yield case_of(log.name, True, truth, DISTURBED, scans, given, moved)


def disturbed(one: Traced, rng: np.random.Generator) -> Traced:
    """An object whose boxes drift away from the given one, lie beside it, or are turned."""
    way, sign = rng.integers(3), rng.choice([-1, 1])
    (key_ns,) = (t for t, a in one.track.annotations.items() if is_given(a))
    drift, shift, turn_rad = (
        rng.normal(0, [0.6, 0.3]),
        rng.normal(0, [0.5, 0.25]),
        sign * rng.uniform(0.15, 0.7),
    )
    made = []
    for annotation in one.made:
        off = drift * (annotation.timestamp_ns - key_ns) / 1e9 if way == 0 else shift * (way == 1)
        box_from_moved = SE3.from_yaw(turn_rad * (way == 2), (*off, 0.0))
        ego_from_moved = annotation.box.ego_from_box @ box_from_moved
        made.append(replace(annotation, box=replace(annotation.box, ego_from_box=ego_from_moved)))
    return replace(one, made=tuple(made))


def simulated_cases(seed: int, cache: Path | None) -> Iterator[Case]:
    """A simulated drive, in all ways."""
    log, truth = simulated(seed, cache)
    seen, middle = visible_only(log, truth), len(log) // 2
    case = partial(case_of, log.name, seed in TUNED, truth)
    scans, fewer, none = (
        Scans(LocalWorld.of(some)) for some in (log, without_some_scans(log), replace(log, sweeps={}))
    )
    yield case("one box", scans, Given(only(seen, log, [middle])))
    yield case("one box, scans dropped", fewer, Given(only(seen, log, [middle])))
    for step in (10, 20):
        given = Given(thinned(seen, log, 0, step))
        yield case(f"every {step}th frame", scans, given)
        yield case(f"every {step}th frame, no scans", none, given)
    yield case("nothing", scans, Given())


def long_cases(name: str, cache: Path | None) -> Iterator[Case]:
    """Twenty seconds of a busier simulated drive, one frame given."""
    (drive,) = drives({name}, cache / "onebox" if cache is not None else None)
    given = Given(only(visible_only(drive.log, drive.truth), drive.log, [drive.seed]))
    title = f"simulated, 20 s, {name}"
    scans = Scans(LocalWorld.of(drive.log))
    yield case_of(title, drive.use == TUNED_ON, drive.truth, "one box", scans, given)


def real_cases() -> Iterator[Case]:
    """PandaSet 002."""
    folder = SHARED_DATA / "pandaset" / "002"
    log = PANDASET.open_log(folder, PANDASET.log_ids(folder)[0])
    truth, scans = PANDASET.read_labels(folder, log), Scans(LocalWorld.of(log))
    for frame, tuned in REAL_SEEDS.items():
        given = Given(only(visible_only(log, truth), log, [frame]))
        yield case_of(f"PandaSet 002, frame {frame}", tuned, truth, "one box", scans, given)
    given = Given(thinned(visible_only(log, truth), log, 0, 10))
    yield case_of("PandaSet 002", False, truth, "every 10th frame", scans, given)
    yield case_of("PandaSet 002", False, truth, "nothing", scans, Given())


def kitti_cases(name: str) -> Iterator[Case]:
    """A sequence of KITTI tracking with PointRCNN's boxes: no scans."""
    from formats.kitti_tracking import KITTI_TRACKING

    log, detections = kitti_drive(name)
    truth = KITTI_TRACKING.read_labels(SHARED_DATA / "kitti_tracking", log)
    case = partial(case_of, f"KITTI {name}", name in KITTI_TUNED, truth)
    scans = Scans(LocalWorld.of(log))
    for step in (10, 20):
        yield case(
            f"every {step}th frame and detections", scans, Given(thinned(truth, log, 0, step), detections)
        )
    yield case("detections", scans, Given(detections=detections))


def only(truth: LabelSet, log: DriveLog, frames: list[int]) -> LabelSet:
    """The labels of some frames."""
    wanted = set(log.timestamps_ns[frames].tolist())
    tracks = (
        track.without(t for t in track.annotations if t not in wanted) for track in truth.tracks.values()
    )
    return LabelSet.of(track for track in tracks if track.annotations)


def case_of(
    name: str,
    tuned: bool,
    truth: LabelSet,
    mode: str,
    scans: Scans,
    given: Given,
    traced: list[Traced] | None = None,
) -> Case:
    """Makes boxes if there are none, and compares them; simulated truth ends where nothing is labelled."""
    traced = traced_of(scans, given, SETTINGS) if traced is None else traced
    columns = Columns.of(traced, scans.world)
    looks = Looks.of(columns, scans)
    rows, owners = np.flatnonzero(~columns.given), columns.owners
    evidence = Evidence.of(traced, columns, looks, scans.world)
    told, whole = evidence.columns(rows, owners[rows]), tuple(evidence.tracks)
    sources = np.array(sources_of(traced, columns, looks))[owners[rows]]
    groups = np.array([GROUPS.get(kind_of(one.track.category), "other") for one in traced])[owners[rows]]
    annotations = {(k, a.timestamp_ns): a for k, one in enumerate(traced) for a in one.made}
    boxes = [annotations[k, t] for k, t in zip(owners[rows], columns.times_ns[rows].tolist(), strict=True)]
    kinds = [kind_of(traced[k].track.category) for k in owners[rows]]
    ids = [traced[k].track.id for k in owners[rows]] if given.keyframes is not None else None
    right, there = outcomes(boxes, kinds, ids, truth)
    case = Case(name, mode, tuned, told, whole, owners[rows], sources, groups, right, there)
    away_m = np.array([np.hypot(*a.box.center[:2]) for a in boxes])
    return case.take(np.flatnonzero(away_m < SURELY_LABELLED_M)) if name.startswith("simulated") else case


def outcomes(
    boxes: list[Annotation], kinds: list[Kind], ids: list[str] | None, truth: LabelSet
) -> tuple[Bools, Bools]:
    """(N, 5) what is right of boxes, and (N,) whether there is a true object.

    That is the one of the same id, or, without ids, the one that the box lies on.
    """
    right, there = np.zeros((len(boxes), 5), dtype=np.bool_), np.zeros(len(boxes), dtype=np.bool_)
    by_time = defaultdict(list)
    for row, annotation in enumerate(boxes):
        by_time[annotation.timestamp_ns].append(row)
    for timestamp_ns, rows in by_time.items():
        present = [(track, a) for track, a in truth.at(timestamp_ns)]
        made, here = Boxes.stack(boxes[row].box for row in rows), [kinds[row] for row in rows]
        true = Boxes.stack(a.box for _, a in present)
        if ids is None:
            partners = partners_of(true, made)
        else:
            places = {ids[row]: number for number, row in enumerate(rows)}
            partners = [places.get(track.id, -1) for track, _ in present]
        for number, partner in enumerate(partners):
            if partner >= 0:
                track, annotation = present[number]
                kind = kind_of(track.category)
                its = compared(annotation, kind, made, here, partner, true.take(np.array([number])))
                heading = its.turn_rad <= np.radians(10) and not its.flipped
                right[rows[partner]] = its.kind_ok, all(its.size_ok), heading, its.center_ok, its.no_edit
                there[rows[partner]] = True
    return right, there
