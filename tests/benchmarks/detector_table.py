"""Fits autolabel/detect/table.json: `python -m tests.benchmarks.detector_table [--cache FOLDER]`.

Only the tuned drives of `detector_drives` are used, and of those only the real one and the simulated ones
with seeds below 100; `from_nothing` reports on others as well.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

from autolabel.detect.background import Background
from autolabel.detect.candidates import standing
from autolabel.detect.complete import completed
from autolabel.detect.config import DetectConfig
from autolabel.detect.judge import STATES, Entry, Table
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
from tests.benchmarks.detector_drives import TUNED, LabelledDrive, real_drive, simulated_drive
from tests.conftest import REPOSITORY

TABLE = REPOSITORY / "autolabel" / "detect" / "table.json"
SEEDS = [seed for seed in TUNED if seed < 100]
STANDING_WEIGHT, REAL_WEIGHT, EVERY, STANDING_EVERY = 3.0, 5.0, 2, 8
BINS, ROUNDS, RATE, RIDGE, LEAST_HITS = 24, 200, 0.1, 12.0, 4
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


def fitted(features: F64, hits: Bools, weights: F64) -> Entry:
    """Log odds as a sum of steps, one feature at a time: Newton boosting of stumps."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in features.T]
    bins = np.column_stack(
        [np.searchsorted(e, column, side="right") for e, column in zip(edges, features.T, strict=True)]
    )
    share = np.clip(np.average(hits, weights=weights), 1e-4, 1 - 1e-4)
    bias = float(np.log(share / (1 - share)))
    odds, added = np.full(len(hits), bias), [np.zeros(len(e) + 1) for e in edges]
    for _ in range(ROUNDS if hits.sum() >= LEAST_HITS else 0):
        chance = 1 / (1 + np.exp(-odds))
        slope, bend = weights * (hits - chance), weights * chance * (1 - chance)
        f, cut, below, above = best_stump(bins, edges, slope, bend)
        step = RATE * np.where(np.arange(len(added[f])) <= cut, below, above)
        added[f] += step
        odds += step[bins[:, f]]
    said = {}
    for name, e, values in zip(NAMES, edges, added, strict=True):
        turns = np.flatnonzero(np.abs(np.diff(values)) > 1e-9)
        if len(turns):
            kept = np.concatenate([values[turns], values[-1:]])
            said[name] = [[round(float(v), 3) for v in e[turns]], [round(float(v), 2) for v in kept]]
    return {"bias": round(bias, 2), "features": said}


def best_stump(bins: np.ndarray, edges: list[F64], slope: F64, bend: F64) -> tuple[int, int, float, float]:
    """The feature and the bin after which to cut, and the Newton steps below and above."""
    best, choice = -np.inf, (0, 0, 0.0, 0.0)
    for f, e in enumerate(edges):
        if len(e) == 0:
            continue
        g = np.cumsum(np.bincount(bins[:, f], slope, len(e) + 1))
        h = np.cumsum(np.bincount(bins[:, f], bend, len(e) + 1))
        left, right = g[:-1] / (h[:-1] + RIDGE), (g[-1] - g[:-1]) / (h[-1] - h[:-1] + RIDGE)
        gain = left * g[:-1] + right * (g[-1] - g[:-1])
        cut = int(np.argmax(gain))
        if gain[cut] > best:
            best, choice = float(gain[cut]), (f, cut, float(left[cut]), float(right[cut]))
    return choice


def table(parts: list[Example]) -> Table:
    """What `table.json` holds."""
    features, hits, weights, moving = (np.concatenate([part[k] for part in parts]) for k in range(4))
    return {
        state: {
            prior.category: fitted(features[rows], hits[rows, k], weights[rows])
            for k, prior in enumerate(PRIORS)
        }
        for state, rows in zip(STATES, (~moving, moving), strict=True)
    }


def one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", found.group(1)) + "]"


def written(made: Table) -> str:
    """As JSON with one line a list."""
    return re.sub(r"\[\s+([^\[\]]*?)\s+\]", one_line, json.dumps(made, indent=1)) + "\n"


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
