"""Tracking from detections on KITTI: `python -m tests.benchmarks.kitti_tracking [--write]`.

PointRCNN's boxes on the ten sequences of AB3DMOT's training split, stereo visual odometry as poses. Settings
were chosen on the sequences in TUNED; the others have not been looked at for that, and all ten are what
AB3DMOT's row stands for. Scored by the protocol of AB3DMOT (Weng et al., IROS 2020) and by HOTA of image
boxes (Luiten et al., IJCV 2021).
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from autolabel.detections import detections_by_kind
from autolabel.track import TrackConfig, chains_of
from autolabel.track.tracks import track_detections
from autolabel.world import LocalWorld
from formats.kitti_tracking import KITTI_TRACKING
from fusion.labels import LabelSet
from fusion.log import DriveLog
from tests.conftest import REPOSITORY, SHARED_DATA

TUNED = ("0000", "0003", "0004", "0005", "0009")
UNSEEN = ("0002", "0007", "0011", "0017", "0020")
IOUS = (0.25, 0.5, 0.7)
HOTA_ODDS = 1.0
REPEATS = 3
HEAD = (
    "| | Car sAMOTA .25 | .5 | .7 | Car MOTA .25 | IDSW | FRAG | HOTA (image) "
    "| Pedestrian sAMOTA .25 | Cyclist sAMOTA .25 |\n|---|---|---|---|---|---|---|---|---|---|"
)
AB3DMOT = "| AB3DMOT, all ten | 87.81 | 87.09 | 74.28 | 78.78 | 0 | 34 | 72.15 | 55.30 | 51.12 |"

Drive = tuple[DriveLog, LabelSet]


def drive(name: str) -> Drive:
    """A sequence with its poses, and its detections."""
    path = SHARED_DATA / "kitti_tracking"
    log = KITTI_TRACKING.open_log(path, name)
    assert KITTI_TRACKING.read_poses is not None
    assert KITTI_TRACKING.read_detections is not None
    log = replace(log, trajectory=KITTI_TRACKING.read_poses(path / "poses_orbslam3", log))
    return log, KITTI_TRACKING.read_detections(path / "detections", log)


def write_results(folder: Path, drives: list[Drive]) -> None:
    """KITTI result files whose score is the log odds of the whole track, as the protocol wants it."""
    for log, detections in drives:
        tracks = []
        for edit in track_detections(log, detections):
            track = edit.track  # type: ignore[attr-defined]
            # The protocol averages a track's scores anew at every threshold: 64ths survive that unrounded.
            odds = round(64 * float(track.attributes["odds"])) / 64
            scored = {t: replace(a, score=odds) for t, a in track.annotations.items()}
            tracks.append(replace(track, annotations=scored))
        KITTI_TRACKING.write_labels(folder, log, LabelSet.of(tracks))  # type: ignore[misc]


def row(title: str, results: Path, names: list[str], scorer: ModuleType) -> str:
    """One line of the table over some of the sequences."""
    folder = str(results)
    cars = [scorer.evaluate(folder, "car", iou, names, False) for iou in IOUS]
    others = [scorer.evaluate(folder, kind, 0.25, names, False) for kind in ("pedestrian", "cyclist")]
    data, _ = scorer.prepare(folder, names, "car", 0.5, False)
    hota = scorer.hota(data, HOTA_ODDS, 0.5)["HOTA"]
    cells = [f"{100 * car['sAMOTA']:.2f}" for car in cars]
    cells += [f"{100 * cars[0]['MOTA']:.2f}", str(cars[0]["IDSW"]), str(cars[0]["FRAG"]), f"{100 * hota:.2f}"]
    cells += [f"{100 * other['sAMOTA']:.2f}" for other in others]
    return f"| {title} | {' | '.join(cells)} |"


def frames_per_second(drives: list[Drive]) -> float:
    """Frames of tracking all three classes in a second of CPU on one thread, warm: the best of a few runs."""
    columns = []
    for log, detections in drives:
        world = LocalWorld.of(log)
        columns.append((world, log.timestamps_ns, detections_by_kind(detections, world)))
    best_s = float("inf")
    for _ in range(REPEATS + 1):
        start_s = time.process_time()
        for world, frames_ns, by_kind in columns:
            for kind, found in by_kind.items():
                chains_of(found, frames_ns, kind, world, TrackConfig())
        best_s = min(best_s, time.process_time() - start_s)
    return sum(len(log) for log, _ in drives) / best_s


def table(scorer: ModuleType) -> str:
    """The figures of all sequences, of those tuned on, and of the others."""
    drives = [drive(name) for name in sorted(TUNED + UNSEEN)]
    with tempfile.TemporaryDirectory() as folder:
        write_results(Path(folder), drives)
        groups = (
            ("Crosslabel, all ten", sorted(TUNED + UNSEEN)),
            ("Crosslabel, the five tuned on", [*TUNED]),
            ("Crosslabel, the five others", [*UNSEEN]),
        )
        rows = [row(title, Path(folder), names, scorer) for title, names in groups]
    speed = f"Tracking all three classes: {frames_per_second(drives):,.0f} frames/s on one thread."
    return "\n".join([HEAD, AB3DMOT, *rows, "", speed])


def main() -> None:
    """Prints the table; with `--write` also to docs/kitti_tracking.md."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true", help="also write docs/kitti_tracking.md")
    given = parser.parse_args()
    scripts = SHARED_DATA.parent / "kitti_score"
    if not (scripts.is_dir() and (SHARED_DATA / "kitti_tracking").is_dir()):
        print(f"skipped: no KITTI tracking data or scorer beside {SHARED_DATA}")
        return
    sys.path.insert(0, str(scripts))
    text = table(importlib.import_module("kitti_mot_eval"))
    print(text)
    if given.write:
        page = f"# Tracking on KITTI\n\n{(__doc__ or '').split(chr(10), 2)[2].strip()}\n\n{text}\n"
        (REPOSITORY / "docs" / "kitti_tracking.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
