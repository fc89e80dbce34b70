"""Trips from above, before and after they were laid on each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from autolabel.trips.above import Above
from autolabel.trips.alignment import Alignment
from autolabel.trips.config import AlignConfig
from autolabel.trips.passage import Passage
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64
from fusion.log import DriveLog

COLORS = np.array([[0.85, 0.1, 0.1], [0.1, 0.35, 0.9], [0.1, 0.6, 0.2], [0.8, 0.5, 0.0]])
CELL_M, AROUND_M = 0.15, 45.0


def draw(
    logs: Sequence[DriveLog], alignment: Alignment, path: Path, config: AlignConfig | None = None
) -> None:
    """Draws what stands around each trip in a colour of its own, as given and as found (PNG)."""
    from matplotlib.figure import Figure

    config = config or AlignConfig()
    local_from_world = LocalWorld.of(logs[0]).local_from_world
    passages = [Passage.of(log, local_from_world, config) for log in logs]
    figure = Figure(figsize=(16, 8.4), layout="constrained")
    for panel, (title, found) in enumerate((("as given", False), ("laid on each other", True))):
        axes = figure.add_subplot(1, 2, panel + 1)
        poses = [
            _found(passage, log, alignment, k, found)
            for k, (passage, log) in enumerate(zip(passages, logs, strict=True))
        ]
        middle = poses[0].translations.mean(axis=0)[:2]
        axes.imshow(
            _picture(passages, poses, middle, config),
            origin="lower",
            extent=(middle[0] - AROUND_M, middle[0] + AROUND_M, middle[1] - AROUND_M, middle[1] + AROUND_M),
        )
        for k, some in enumerate(poses):
            places = some.translations
            axes.plot(places[:, 0], places[:, 1], color=COLORS[k % len(COLORS)], linewidth=1.5)
        axes.set_xlim(middle[0] - AROUND_M, middle[0] + AROUND_M)
        axes.set_ylim(middle[1] - AROUND_M, middle[1] + AROUND_M)
        axes.set_title(title)
    figure.savefig(path, dpi=110)


def _found(passage: Passage, log: DriveLog, alignment: Alignment, k: int, found: bool) -> SE3Batch:
    """Poses of the stations, seen from where the first trip began."""
    if not found:
        return passage.given_from_ego
    given_from_world = passage.given_from_ego[0] @ log.trajectory.at(int(passage.frames_ns[0])).inverse()
    world_from_ego = alignment.trips[k].trajectory.at_many(passage.frames_ns)
    return given_from_world @ world_from_ego


def _picture(passages: list[Passage], poses: list[SE3Batch], middle: F64, config: AlignConfig) -> F64:
    """(Y, X, 3) colours on white; where trips agree theirs mix."""
    image: F64 = np.ones(())
    for k, (passage, some) in enumerate(zip(passages, poses, strict=True)):
        plan = Above.around(middle - AROUND_M, middle + AROUND_M, CELL_M)
        ground = Above.around(middle - AROUND_M, middle + AROUND_M, config.search.cell_m)
        for station, pose in zip(passage.stations, some, strict=True):
            points = pose @ station.points_ego
            ground.add(points)
            plan.add(points[ground.at(ground.standing_m(config.search) > 0, points)])
        ink = plan.seen.T[:, :, None] * (1 - COLORS[k % len(COLORS)]) * 0.75
        image = np.clip(image - ink, 0, 1)
    return image
