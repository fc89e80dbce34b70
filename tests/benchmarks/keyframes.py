"""From sparse key frames to all frames: how good the boxes between and beyond them are.

`python -m tests.benchmarks.keyframes` prints the tables; `--write` puts them into docs/keyframes.md. KITTI
tracking is scored by the scripts beside the data, which match boxes by the ids of the key frames.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autolabel import Config, propose
from autolabel.world import LocalWorld, Sightings
from formats.kitti_tracking import KITTI_TRACKING
from formats.pandaset import PANDASET
from fusion.boxes import Box3D, Boxes
from fusion.evaluate import evaluate
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.overlap import iou_3d
from tests.conftest import REPOSITORY, SHARED_DATA

SCORER = SHARED_DATA.parent / "kitti_score"
PAGE = REPOSITORY / "docs" / "keyframes.md"
TUNED = ("0000", "0003", "0004", "0005", "0009")
REPORTED = ("0002", "0007", "0011", "0017", "0020")
STEPS = (20, 10)
GROUPS = {"tuned on": TUNED, "reported": REPORTED, "all ten": tuple(sorted(TUNED + REPORTED))}
BASELINES = {"straight line in the world": "lin_world", "and constant velocity beyond": "lin_world_ext"}
HEAD = """# From sparse key frames

    python -m tests.benchmarks.keyframes --write

Every n-th frame is labelled, the boxes of all other frames are made. KITTI tracking is scored by matching
ids: "inside" lies between two key frames of an object, "beyond" before the first, after the last or in a
gap; "extra" are boxes of objects at frames that have none. Settings were chosen on the sequences that say
"tuned on"; PandaSet was not tuned on.

KITTI's boxes were themselves drawn every few frames and connected by straight lines as the car sees them,
so that most of them lie exactly between their neighbours there, and none moves quite steadily in the world
(second table). A way that is smooth in the world cannot meet them better than that; a straight line from
the car's point of view would, and would be wrong about the object. Of what is missing between key frames
the height is the largest part.

"""
SETTINGS = Config(rectangles=False)
OURS = {"key frames only": False, "with PointRCNN detections": True}


def main() -> None:
    """Prints the tables of what data there is."""
    lines = [
        *(kitti_lines() if SCORER.is_dir() else [f"no scorer at {SCORER}"]),
        "",
        *(steadiness_lines() if SCORER.is_dir() else []),
        "",
        *(panda_lines() if (SHARED_DATA / "pandaset").is_dir() else [f"no PandaSet at {SHARED_DATA}"]),
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(HEAD + text, encoding="utf-8")


def kitti_lines() -> list[str]:
    """Mean IoU between key frames, and recall and extra boxes over everything."""
    lines = [
        "| key frames | sequences | method | IoU inside | IoU .7 inside | moving cars "
        "| recall at .5, all | recall beyond | extra boxes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KITTI_KEYFRAMES"] = f"{folder}/keys"
        os.environ["KITTI_TRACKING"] = str(SHARED_DATA / "kitti_tracking")
        sys.path.insert(0, str(SCORER))
        make, score = (importlib.import_module(f"propagation_{name}") for name in ("make", "eval"))
        make.keyframes()
        for method in BASELINES.values():
            make.baseline(method, f"{folder}/{method}")
        seconds = {name: write_ours(Path(folder) / name, use) for name, use in OURS.items()}
        for step in STEPS:
            for group, sequences in GROUPS.items():
                for name, results in {**BASELINES, **{name: name for name in OURS}}.items():
                    row = kitti_row(score, f"{folder}/{results}", step, sequences)
                    lines.append(f"| every {step}th | {group} | {name} | {row} |")
    frames = "; ".join(f"{name}: {spent_s:.0f} s of CPU" for name, spent_s in seconds.items())
    return [*lines, "", f"Both steps, all ten sequences: {frames}."]


def steadiness_lines() -> list[str]:
    """How well KITTI's own boxes lie on the straight line through those just before and after them."""
    lines = [
        "| KITTI's own boxes against the middle of | in the world | seen from the car |",
        "|---|---|---|",
    ]
    for reach in (1, 2):
        cells = (" / ".join(f"{value:.3f}" for value in steadiness(reach, poses)) for poses in (True, False))
        lines.append(
            f"| those {reach} before and {reach} after, mean / median IoU | " + " | ".join(cells) + " |"
        )
    return lines


def steadiness(reach: int, poses: bool) -> tuple[float, float]:
    """Mean and median IoU of each box with the middle of two others, in the world or as the car sees them."""
    path, ious = SHARED_DATA / "kitti_tracking", []
    for name in GROUPS["all ten"]:
        log = KITTI_TRACKING.open_log(path, name)
        if poses:
            log = replace(log, trajectory=KITTI_TRACKING.read_poses(path / "poses_orbslam3", log))
        world, step_ns = LocalWorld.of(log), int(np.median(np.diff(log.timestamps_ns)))
        for track in KITTI_TRACKING.read_labels(path, log).tracks.values():
            seen = Sightings.of(track.annotations.values(), world)
            sides = seen.times_ns[2 * reach :] - seen.times_ns[: -2 * reach]
            whole = np.flatnonzero(sides < (2 * reach + 0.5) * step_ns)
            there, early, late = whole + reach, whole, whole + 2 * reach
            places, yaws_rad = seen.local_from_box.translations, np.unwrap(seen.local_from_box.yaws_rad)
            between = 0.5 * (places[early] + places[late]), 0.5 * (yaws_rad[early] + yaws_rad[late])
            for k, place, yaw_rad in zip(there, *between, strict=True):
                size = seen.sizes_lwh_m[k]
                pair = [Box3D.upright(place, size, yaw_rad), Box3D.upright(places[k], size, yaws_rad[k])]
                middle, box = (Boxes.stack([one]) for one in pair)
                ious.append(iou_3d(middle, box)[0, 0])
    return float(np.mean(ious)), float(np.median(ious))


def kitti_row(score: Any, folder: str, step: int, sequences: tuple[str, ...]) -> str:
    """The figures of one method, in the words of the scorer."""
    rows, extra, _, _ = score.collect(folder, step, list(sequences))
    inside = [row for row in rows if row[1] == "inside"]
    cars = [row for row in inside if row[2] == "moving" and row[0] == "Car"]
    beyond = [row for row in rows if row[1] in ("outside", "gap")]
    within, moving, out, every = (score.summ(part) for part in (inside, cars, beyond, rows))
    return (
        f"{within['mIoU']:.3f} | {within['R70']:.3f} | {moving['mIoU']:.3f} | {every['R50']:.3f} "
        f"| {out['R50']:.3f} | {extra}"
    )


def write_ours(folder: Path, with_detections: bool) -> float:
    """Writes result files of all sequences; returns the seconds of CPU that took."""
    path, spent_s = SHARED_DATA / "kitti_tracking", 0.0
    for name in GROUPS["all ten"]:
        standing = KITTI_TRACKING.open_log(path, name)
        log = replace(standing, trajectory=KITTI_TRACKING.read_poses(path / "poses_orbslam3", standing))
        truth = KITTI_TRACKING.read_labels(path, log)
        found = KITTI_TRACKING.read_detections(path / "detections", log) if with_detections else None
        for step in STEPS:
            keys = thinned(truth, log, 0, step)
            begun_s = time.process_time()
            labels = completed(log, keys, found)
            spent_s += time.process_time() - begun_s
            (folder / f"k{step:02d}").mkdir(parents=True, exist_ok=True)
            KITTI_TRACKING.write_labels(folder / f"k{step:02d}", log, labels)
    return spent_s


def completed(log: DriveLog, keys: LabelSet, found: LabelSet | None) -> LabelSet:
    """Key frames and what is made of them."""
    labels = keys
    for edit in propose(log, keyframes=keys, detections=found, config=SETTINGS):
        labels = edit.apply(labels)
    return labels


def thinned(truth: LabelSet, log: DriveLog, first: int, step: int) -> LabelSet:
    """What a person would have labelled: every so many frames, and no rectangle in any image."""
    kept = set(log.timestamps_ns[first::step].tolist())
    tracks = (
        replace(track, image_boxes={}).without(t for t in track.annotations if t not in kept)
        for track in truth.tracks.values()
    )
    return LabelSet.of(track for track in tracks if track.annotations)


def panda_lines() -> list[str]:
    """PandaSet 002, key frames only, between the first and the last one of each object."""
    path = SHARED_DATA / "pandaset"
    log = PANDASET.open_log(path, "002")
    truth = PANDASET.read_labels(path, log)
    on_the_move = moving(log, truth)
    lines = ["| PandaSet 002 | objects | boxes | mean IoU | IoU .7 | centre m |", "|---|---|---|---|---|---|"]
    for step in (10, 7):
        keys = thinned(truth, log, 0, step)
        labels = completed(log, keys, None)
        for name, ids in (("all", set(keys.tracks)), ("moving", on_the_move & set(keys.tracks))):
            found, there = (between(some, keys, ids) for some in (labels, truth))
            score = evaluate(found, there, leave_out_ns=keys.timestamps_ns()).overall
            lines.append(
                f"| every {step}th | {name} | {score.truth} | {score.mean_iou:.4f} | {score.recall_70:.3f} "
                f"| {score.center_m:.3f} |"
            )
    return lines


def moving(log: DriveLog, truth: LabelSet) -> set[str]:
    """Tracks that come further than a metre a second from end to end."""
    world, found = LocalWorld.of(log), set()
    for track in truth.tracks.values():
        seen = Sightings.of(track.annotations.values(), world)
        way_m = np.linalg.norm(seen.local_from_box.translations[-1] - seen.local_from_box.translations[0])
        if way_m > (seen.times_ns[-1] - seen.times_ns[0]) / 1e9:
            found.add(track.id)
    return found


def between(labels: LabelSet, keys: LabelSet, ids: set[str]) -> LabelSet:
    """Some tracks between their first and their last key frame."""
    tracks = []
    for id in sorted(ids):
        first, last = min(keys.tracks[id].annotations), max(keys.tracks[id].annotations)
        track = labels.tracks[id]
        tracks.append(track.without(t for t in track.annotations if not first < t < last))
    return LabelSet.of(tracks)


if __name__ == "__main__":
    main()
