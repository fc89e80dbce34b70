"""Everything in a drive that could be an object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autolabel.detect.background import Background
from autolabel.detect.clusters import Columns, Groups
from autolabel.detect.config import DetectConfig
from autolabel.detect.freespace import spaced
from autolabel.detect.shapes import Shapes, shapes_of
from autolabel.scans import Scan, Scans, Stretch
from calib.types import F64

PLACES = 24
LARGEST_M = 15.0
BEHIND_M = 1.45  # of who walks behind a parked car only the upper half is seen; what hangs does not walk
CLOSE_M, SPLIT_M, KNEE_M = 0.15, 2.5, 0.6
ROW_M, ROW_WIDTH_M, CUTS = 6.0, 3.2, 2


def standing(background: Background, scans: Scans | Stretch, config: DetectConfig) -> Shapes:
    """What stands still, from the points of all sweeps.

    What is low is joined three times, loosely, closely, and closely without what is lower than a knee,
    because cars stand close to walls, hedges and each other; what is tall once. Of shapes on top of each
    other the judge takes the best.
    """
    points, above_m = background.points, background.above_m
    columns = Columns.of(points, above_m)
    origins = np.array([scan.origin for k in spaced(len(scans), PLACES) if (scan := scans.at(int(k)))])
    reach = config.gap_m + config.gap_per_m * _nearest(columns, origins.reshape(-1, 3))
    low = (columns.tops_m > 0) & (columns.tops_m <= config.tall_m)
    seen_from = origins.reshape(-1, 3)
    found = []
    for wanted, most_m, smallest_m, tallest_m in (
        (low, np.inf, 0.0, 0.0),
        (low, CLOSE_M, SPLIT_M, 0.0),
        (low & (columns.tops_m >= KNEE_M), CLOSE_M, SPLIT_M, 0.0),
        (columns.tops_m > 0, np.inf, SPLIT_M, config.tall_m),
    ):
        groups = columns.groups(wanted, np.minimum(reach, most_m)).at_least(config.least_points)
        wide_m, top_m = groups.outlines(points, above_m).T
        groups = groups.take((wide_m >= smallest_m) & (wide_m <= LARGEST_M) & (top_m >= tallest_m))
        found.append(shapes_of(points, above_m, groups, columns, seen_from, False))
        if tallest_m == 0 and most_m == CLOSE_M:
            found += _cut(points, above_m, groups, columns, seen_from, found[-1], config)
    return Shapes.joined(found)


def _cut(
    points: F64, above_m: F64, groups: Groups, columns: Columns, seen_from: F64, shapes: Shapes,
    config: DetectConfig,
) -> Iterator[Shapes]:  # fmt: skip
    """Parts of what is longer than a car but not broader: cars stand bumper to bumper."""
    for _ in range(CUTS):
        row = (shapes.extents_m.max(axis=1) > ROW_M) & (shapes.extents_m.min(axis=1) < ROW_WIDTH_M)
        groups = groups.take(row).cut(points, above_m, shapes.take(row).rectangles)
        groups = groups.at_least(config.least_points)
        shapes = shapes_of(points, above_m, groups, columns, seen_from, False)
        yield shapes


def moving(scan: Scan, background: Background, config: DetectConfig) -> Shapes:
    """What a scan shows where nothing stands."""
    chosen = background.moving(scan, config)
    points = scan.points.take(chosen, axis=0).astype(np.float64)
    above_m = scan.above_m[chosen].astype(np.float64)
    columns = Columns.of(points, above_m, BEHIND_M)
    away_m = np.linalg.norm(columns.places - scan.origin[:2], axis=1)
    reach = config.sweep_gap_m + config.sweep_gap_per_m * away_m
    groups = columns.groups(columns.tops_m > 0, reach).at_least(config.least_points)
    groups = groups.take(groups.outlines(points, above_m)[:, 0] <= LARGEST_M)
    return shapes_of(points, above_m, groups, columns, scan.origin[None], True)


def _nearest(columns: Columns, origins: F64) -> F64:
    """(C,) how near the LiDAR ever was to each column."""
    nearest = np.full(len(columns.places), np.inf)
    for x, y, _ in origins:
        np.minimum(nearest, (columns.places[:, 0] - x) ** 2 + (columns.places[:, 1] - y) ** 2, out=nearest)
    return np.asarray(np.sqrt(nearest))
