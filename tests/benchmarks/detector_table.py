"""Fits autolabel/detect/table.json to simulated drives: `python -m tests.benchmarks.detector_table`.

Only seeds below 100 are used; `from_nothing` reports on others.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from autolabel.detect.background import Background
from autolabel.detect.candidates import standing
from autolabel.detect.complete import completed
from autolabel.detect.config import DetectConfig
from autolabel.detect.movers import Movers
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import NAMES, Shapes
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.overlap import iou_bev
from fusion.simulate import SimulationConfig, simulate, visible_only
from tests.conftest import REPOSITORY

TABLE = REPOSITORY / "autolabel" / "detect" / "table.json"
SEEDS = range(1, 6)
STANDING_WEIGHT, EVERY, STANDING_EVERY = 6.0, 3, 8
BINS, ROUNDS, RATE, RIDGE = 32, 90, 0.2, 3.0
LEAST_IOU = {Kind.PEDESTRIAN: 0.2, Kind.BICYCLE: 0.2}

Example = tuple[F64, Bools, F64]  # features, which kind it truly is, weights


def drives(seeds: Iterable[int]) -> Iterable[tuple[DriveLog, LabelSet]]:
    for seed in seeds:
        style = ("straight", "curve", "stop")[seed % 3]
        config = SimulationConfig(seed=seed, seconds=5.0, azimuth_steps=1875, style=style)  # type: ignore[arg-type]
        yield simulate(config)


def examples(log: DriveLog, truth: LabelSet, config: DetectConfig) -> Example:
    """Every candidate of a drive with what it truly is."""
    truth = visible_only(log, truth)
    scans = Scans(LocalWorld.of(log))
    background = Background.of(scans, config)
    parts: list[Example] = []
    stand = standing(background, scans, config)
    is_kind = np.zeros((len(stand), len(PRIORS)), dtype=np.bool_)
    for frame in range(0, len(scans), STANDING_EVERY):
        is_kind |= true_kinds(stand, truth, scans, frame)
    parts.append((stand.features, is_kind, np.full(len(stand), STANDING_WEIGHT)))
    movers = Movers.of(scans, background, config)
    for frame in range(0, len(scans), EVERY):
        shapes = movers.at(frame)
        if shapes is not None:
            parts.append((shapes.features, true_kinds(shapes, truth, scans, frame), np.ones(len(shapes))))
    return tuple(np.concatenate([part[k] for part in parts]) for k in range(3))  # type: ignore[return-value]


def true_kinds(shapes: Shapes, truth: LabelSet, scans: Scans, frame: int) -> Bools:
    """(C, K) which shapes, completed as each kind, lie on a true object of that kind."""
    frame_ns = int(scans.frames_ns[frame])
    local_from_ego = scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0]
    found = np.zeros((len(shapes), len(PRIORS)), dtype=np.bool_)
    for k, prior in enumerate(PRIORS):
        boxes = [a.box for track, a in truth.at(frame_ns) if kind_of(track.category) is prior.kind]
        if boxes and len(shapes):
            ious = iou_bev(completed(shapes, np.full(len(shapes), k)), Boxes.stack(boxes).moved(local_from_ego))
            found[:, k] = ious.max(axis=1) >= LEAST_IOU.get(prior.kind, 0.35)
    return found


def fitted(features: F64, hits: Bools, weights: F64) -> dict[str, object]:
    """Log odds as a sum of steps, one feature at a time: Newton boosting of stumps."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in features.T]
    bins = np.column_stack(
        [np.searchsorted(e, column, side="right") for e, column in zip(edges, features.T, strict=True)]
    )
    share = np.clip(np.average(hits, weights=weights), 1e-4, 1 - 1e-4)
    bias = float(np.log(share / (1 - share)))
    odds, added = np.full(len(hits), bias), [np.zeros(len(e) + 1) for e in edges]
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-odds))
        slope, bend = weights * (hits - chance), weights * chance * (1 - chance)
        f, cut, below, above = best_stump(bins, edges, slope, bend)
        step = RATE * np.where(np.arange(len(added[f])) <= cut, below, above)
        added[f] += step
        odds += step[bins[:, f]]
    features_said = {}
    for name, e, values in zip(NAMES, edges, added, strict=True):
        turns = np.flatnonzero(np.abs(np.diff(values)) > 1e-9)
        if len(turns):
            kept = np.concatenate([values[turns], values[-1:]])
            features_said[name] = [[round(float(v), 3) for v in e[turns]], [round(float(v), 2) for v in kept]]
    return {"bias": round(bias, 2), "features": features_said}


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


def table(parts: list[Example]) -> dict[str, dict[str, object]]:
    features, hits, weights = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return {prior.category: fitted(features, hits[:, k], weights) for k, prior in enumerate(PRIORS)}


def one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", found.group(1)) + "]"


def main(path: Path = TABLE) -> None:
    parts = [examples(log, truth, DetectConfig()) for log, truth in drives(SEEDS)]
    made = table(parts)
    text = re.sub(r"\[\s+([^\[\]]*?)\s+\]", one_line, json.dumps(made, indent=1))
    path.write_text(text + "\n", encoding="utf-8")
    print(
        f"{sum(len(p[0]) for p in parts)} candidates of {len(parts)} drives -> {path.name}", file=sys.stderr
    )


if __name__ == "__main__":
    main()
