"""Fits autolabel/detect/table.json: `python -m tests.benchmarks.detector_table [--cache FOLDER]`.

Only the tuned drives of `detector_drives` are used, and of those only the real one and the simulated ones
with seeds below 100; `from_nothing` reports on others as well.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from autolabel.detect.background import Background
from autolabel.detect.candidates import standing
from autolabel.detect.complete import completed
from autolabel.detect.config import DetectConfig
from autolabel.detect.judge import STATES, Table
from autolabel.detect.movers import Movers
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import NAMES, Shapes
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet
from fusion.overlap import iou_bev
from tests.benchmarks.boosting import fitted, written
from tests.benchmarks.detector_drives import TUNED, LabelledDrive, real_drive, simulated_drive
from tests.conftest import REPOSITORY

TABLE = REPOSITORY / "autolabel" / "detect" / "table.json"
SEEDS = [seed for seed in TUNED if seed < 100]
STANDING_WEIGHT, REAL_WEIGHT, EVERY, STANDING_EVERY = 3.0, 5.0, 2, 8
LEAST_IOU = {Kind.PEDESTRIAN: 0.2, Kind.BICYCLE: 0.2}
ALSO = {
    Kind.TRUCK: {Kind.TRUCK, Kind.TRAILER, Kind.CONSTRUCTION},
    Kind.BICYCLE: {Kind.BICYCLE, Kind.MOTORCYCLE},
}

Example = tuple[F64, Bools, F64, Bools]  # features, which kinds it truly is, weights, whether it moves


def examples(drive: LabelledDrive, config: DetectConfig) -> Example:
    """Every candidate of a drive with what it truly is."""
    scans = Scans(LocalWorld.of(drive.log))
    background = Background.of(scans, config)
    parts: list[tuple[Shapes, Bools, float]] = []
    stand = standing(background, scans, config)
    is_kind = np.zeros((len(stand), len(PRIORS)), dtype=np.bool_)
    for frame in range(0, len(scans), STANDING_EVERY):
        is_kind |= true_kinds(stand, drive.truth, scans, frame)
    parts.append((stand, is_kind, STANDING_WEIGHT))
    movers = Movers.of(scans, background, config)
    for frame in range(0, len(scans), EVERY):
        shapes = movers.shapes.take(movers.of_frame(frame))
        parts.append((shapes, true_kinds(shapes, drive.truth, scans, frame), 1.0))
    real = 1.0 if drive.log.name.startswith("simulated") else REAL_WEIGHT
    return (
        np.concatenate([shapes.features for shapes, _, _ in parts]),
        np.concatenate([hits for _, hits, _ in parts]),
        np.concatenate([np.full(len(shapes), weight * real) for shapes, _, weight in parts]),
        np.concatenate([shapes.moving for shapes, _, _ in parts]),
    )


def true_kinds(shapes: Shapes, truth: LabelSet, scans: Scans, frame: int) -> Bools:
    """(C, K) which shapes, completed as each kind, lie on a true object of that kind."""
    frame_ns = int(scans.frames_ns[frame])
    local_from_ego = scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0]
    found = np.zeros((len(shapes), len(PRIORS)), dtype=np.bool_)
    for k, prior in enumerate(PRIORS):
        wanted = ALSO.get(prior.kind, {prior.kind})
        boxes = [a.box for track, a in truth.at(frame_ns) if kind_of(track.category) in wanted]
        if boxes and len(shapes):
            made = completed(shapes, np.full(len(shapes), k))
            ious = iou_bev(made, Boxes.stack(boxes).moved(local_from_ego))
            found[:, k] = ious.max(axis=1) >= LEAST_IOU.get(prior.kind, 0.35)
    return found


def table(parts: list[Example]) -> Table:
    """What `table.json` holds."""
    features, hits, weights, moving = (np.concatenate([part[k] for part in parts]) for k in range(4))
    return {
        state: {
            prior.category: fitted(features[rows], hits[rows, k], weights[rows], NAMES)
            for k, prior in enumerate(PRIORS)
        }
        for state, rows in zip(STATES, (~moving, moving), strict=True)
    }


def main(cache: Path | None, path: Path = TABLE) -> None:
    real = real_drive()
    if real is None:
        sys.exit("the table needs the real drive")
    parts = [examples(drive, DetectConfig()) for drive in (real, *(simulated_drive(s, cache) for s in SEEDS))]
    path.write_text(written(table(parts)), encoding="utf-8")
    print(
        f"{sum(len(p[0]) for p in parts)} candidates of {len(parts)} drives -> {path.name}", file=sys.stderr
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path)
    main(parser.parse_args().cache)
