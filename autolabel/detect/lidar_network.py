"""LiDAR detectors that others have trained: an .onnx file, and a JSON file that says what goes in and out.

`car.onnx` has its description beside it in `car.json`:

    {
      "frame": "lidar",
      "columns": ["x", "y", "z", "intensity"],
      "points": "points",
      "outputs": {"boxes": "boxes", "scores": "scores", "labels": "labels"},
      "categories": ["car", "pedestrian", "cyclist"]
    }

`frame` is the frame of the points and of the boxes: `lidar` or `ego`. `points` names an input (N, columns). A
network of voxels (or pillars) has `voxels` instead:

      "voxels": {
        "values": "voxels", "coordinates": "coors", "counts": "num_points",
        "range_m": [0, -39.68, -3, 69.12, 39.68, 1], "size_m": [0.16, 0.16, 4],
        "most_points": 32, "most_voxels": 16000
      }

Its inputs are float32 (V, most_points, columns), int32 (V, 4) batch z y x, and int32 (V,). The outputs are
decoded boxes: (M, 7) centre x y z, length, width, height, yaw; (M,) scores; (M,) numbers of categories.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from autolabel.detect.networks import Network, read_description
from autolabel.detections import Detections
from autolabel.scans import Scans
from autolabel.settings import Count, Positive, Settings
from calib.errors import CrosslabelError
from calib.se3 import SE3Batch
from calib.types import F32, F64
from fusion.align import read_deskewed
from fusion.boxes import Boxes
from fusion.sweep import Sweep

Column = Literal["x", "y", "z", "intensity", "ring", "zero"]


class VoxelInputs(Settings):
    """How points are put into voxels, and the names of the inputs that take them."""

    values: str
    coordinates: str
    counts: str
    range_m: tuple[float, float, float, float, float, float]
    size_m: tuple[Positive, Positive, Positive]
    most_points: Count = 32
    most_voxels: Count = 40_000


class Outputs(Settings):
    """The names of what comes out."""

    boxes: str = "boxes"
    scores: str = "scores"
    labels: str = "labels"


class Description(Settings):
    """The content of the JSON file beside a network."""

    categories: tuple[str, ...]
    frame: Literal["lidar", "ego"] = "lidar"
    columns: tuple[Column, ...] = ("x", "y", "z", "intensity")
    points: str | None = None
    voxels: VoxelInputs | None = None
    outputs: Outputs = Outputs()


@dataclass(frozen=True, eq=False, slots=True)
class LidarNetwork:
    """A LiDAR detector behind the protocol of `Detector`."""

    network: Network
    description: Description
    calibrated: bool = field(init=False, default=False)

    @classmethod
    def open(cls, path: Path) -> LidarNetwork:
        """From an .onnx file with its description beside it.

        Raises:
            CrosslabelError: onnxruntime is missing, or one of the files is not what it should be.
        """
        beside = path.with_suffix(".json")
        try:
            description = Description.model_validate(read_description(beside))
        except ValidationError as error:
            first = error.errors()[0]
            raise CrosslabelError(f"{beside}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if (description.points is None) == (description.voxels is None):
            raise CrosslabelError(f"{beside}: a network takes points or voxels: name one of the two")
        return cls(Network.open(path), description)

    def detect(self, scans: Scans, frame: int) -> Detections:
        """What the network sees in one frame.

        Raises:
            CrosslabelError: the network does not take or give what its description says.
        """
        log, frame_ns = scans.world.log, int(scans.frames_ns[frame])
        ref = log.sweep_at(frame_ns)
        if ref is None:
            return self._detections(np.empty((0, 9)), scans, frame)
        sweep = read_deskewed(log, ref)
        rows = columns_of(sweep, self.description.columns)
        ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
        if self.description.frame == "ego":
            rows = rows_in_ego(rows, sweep, self.description.columns, ego_from_lidar @ sweep.points)
        names = self.description.outputs
        boxes, scores, labels = self.network.run(
            self._inputs(rows), [names.boxes, names.scores, names.labels]
        )
        if boxes.size != 7 * scores.size or scores.size != labels.size:
            raise CrosslabelError(
                f"{self.network.path}: does not give a box of 7 numbers, a score and a label each"
            )
        found = np.column_stack([boxes.reshape(-1, 7), scores.reshape(-1), labels.reshape(-1)])
        return self._detections(found.astype(np.float64), scans, frame)

    def _inputs(self, rows: F32) -> dict[str, np.ndarray]:
        voxels = self.description.voxels
        if voxels is None:
            return {str(self.description.points): rows}
        values, coordinates, counts = voxelised(rows, voxels)
        return {voxels.values: values, voxels.coordinates: coordinates, voxels.counts: counts}

    def _detections(self, found: F64, scans: Scans, frame: int) -> Detections:
        """Rows of box, score and label as boxes in the local world."""
        log, times_ns = scans.world.log, scans.frames_ns[frame : frame + 1]
        sound = np.isfinite(found).all(axis=1) & (found[:, 3:6] > 0).all(axis=1)
        numbers = found[:, 8].astype(np.int64)
        found = found[sound & (numbers >= 0) & (numbers < len(self.description.categories))]
        found = found[np.argsort(-found[:, 7], kind="stable")]
        boxes = upright(found[:, :7])
        main = log.rig.main_lidar
        if self.description.frame == "lidar" and main is not None:
            ego_from_lidar = main.ego_from_sensor
            boxes = boxes.moved(ego_from_lidar)
        boxes = boxes.moved(scans.world.local_from_ego(times_ns)[0])
        categories = tuple(self.description.categories[int(k)] for k in found[:, 8])
        return Detections(np.repeat(times_ns, len(found)), boxes, np.clip(found[:, 7], 0.0, 1.0), categories)


def columns_of(sweep: Sweep, columns: tuple[Column, ...]) -> F32:
    """(N, columns) float32 of a sweep; zeros for what it does not know."""
    known = {"x": sweep.points[:, 0], "y": sweep.points[:, 1], "z": sweep.points[:, 2]}
    if sweep.intensity is not None:
        known["intensity"] = sweep.intensity
    if sweep.ring is not None:
        known["ring"] = sweep.ring.astype(np.float32)
    nothing = np.zeros(len(sweep), dtype=np.float32)
    return np.column_stack([known.get(name, nothing) for name in columns]).astype(np.float32)


def rows_in_ego(rows: F32, sweep: Sweep, columns: tuple[Column, ...], points_ego: F64) -> F32:
    """The same rows with places in ego."""
    moved = rows.copy()
    for k, name in enumerate(("x", "y", "z")):
        for at in [i for i, column in enumerate(columns) if column == name]:
            moved[:, at] = points_ego[:, k]
    return moved


def voxelised(rows: F32, voxels: VoxelInputs) -> tuple[F32, np.ndarray, np.ndarray]:
    """Points in voxels, in the order in which the voxels are met; the first columns are x y z."""
    low, high, size = np.array(voxels.range_m[:3]), np.array(voxels.range_m[3:]), np.array(voxels.size_m)
    inside = ((rows[:, :3] >= low) & (rows[:, :3] < high)).all(axis=1)
    rows = rows[inside]
    cells = ((rows[:, :3] - low) / size).astype(np.int64)
    shape = np.maximum(np.round((high - low) / size).astype(np.int64), 1)
    cells = np.minimum(cells, shape - 1)
    keys = (cells[:, 2] * shape[1] + cells[:, 1]) * shape[0] + cells[:, 0]
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    group = rank[group]
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(first)))
    place = np.arange(len(order)) - starts[group[order]]
    kept = (place < voxels.most_points) & (group[order] < voxels.most_voxels)
    order, place = order[kept], place[kept]
    count = min(len(first), voxels.most_voxels)
    values = np.zeros((count, voxels.most_points, rows.shape[1]), dtype=np.float32)
    values[group[order], place] = rows[order]
    coordinates = np.zeros((count, 4), dtype=np.int32)
    coordinates[group[order], 1:] = cells[order][:, ::-1]
    return values, coordinates, np.bincount(group[order], minlength=count).astype(np.int32)


def upright(rows: F64) -> Boxes:
    """Boxes from (N, 7) rows of centre, length, width, height, yaw."""
    c, s, zero = np.cos(rows[:, 6]), np.sin(rows[:, 6]), np.zeros(len(rows))
    rotations = np.stack([c, -s, zero, s, c, zero, zero, zero, zero + 1], axis=1).reshape(-1, 3, 3)
    return Boxes(SE3Batch(rotations, rows[:, :3]), rows[:, 3:6])
