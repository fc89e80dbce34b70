"""2D boxes in images from a YOLOX network (Ge et al., 2021) with the classes of COCO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autolabel.detect.networks import Network
from calib.errors import CrosslabelError
from calib.types import F32, F64, I64, U8

STRIDES = (8, 16, 32)
GREY = 114
COCO = {0: "pedestrian", 1: "cyclist", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
LEAST_SCORE, DOUBLE_IOU = 0.15, 0.5


@dataclass(frozen=True, eq=False, slots=True)
class ImageFindings:
    """What a network sees in an image, the surest first.

    Attributes:
        boxes_px: (N, 4) left, top, right, bottom; the centre of the first pixel is (0, 0).
        scores: (N,) in 0..1.
        categories: N class names.
    """

    boxes_px: F64
    scores: F64
    categories: tuple[str, ...]


class ImageDetector(Protocol):
    """Finds what can be labelled in an image."""

    def find(self, image: U8) -> ImageFindings:
        """Boxes in an (H, W, 3) uint8 RGB image."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Yolox:
    """Any YOLOX network: (1, 3, S, S) float32 BGR 0-255 in, (1, N, 5 + classes) out, not decoded yet."""

    network: Network

    @classmethod
    def open(cls, path: Path) -> Yolox:
        """From an .onnx file.

        Raises:
            CrosslabelError: onnxruntime is missing, or the file holds no such network.
        """
        network = Network.open(path)
        if not _is_yolox(network.session):
            raise CrosslabelError(f"{path}: no YOLOX network: (1, 3, S, S) in, (1, N, 5 + classes) out")
        return cls(network)

    def find(self, image: U8) -> ImageFindings:
        """People and vehicles in an image."""
        side = int(self.network.session.get_inputs()[0].shape[2])
        squared, scale = letterboxed(image, side)
        raw = self.network.run({self.network.inputs[0]: squared})[0][0]
        boxes, chances = decoded(raw, side)
        known = np.array(sorted(COCO))
        best = np.argmax(chances[:, known], axis=1)
        scores = chances[np.arange(len(chances)), known[best]]
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= LEAST_SCORE]
        order = order[_apart(boxes[order])]
        categories = tuple(COCO[int(known[best[k]])] for k in order)
        return ImageFindings(boxes[order] / scale - 0.5, scores[order], categories)


def _is_yolox(session: Any) -> bool:
    """Whether a network takes one square image and says of the cells of three grids what they show."""
    inputs, outputs = (
        [entry.shape for entry in some] for some in (session.get_inputs(), session.get_outputs())
    )
    if len(inputs) != 1 or len(inputs[0]) != 4 or len(outputs[0]) != 3:
        return False
    channels, height, width = inputs[0][1:]
    if channels != 3 or not isinstance(height, int) or height != width or height % max(STRIDES):
        return False
    cells = sum((height // stride) ** 2 for stride in STRIDES)
    columns = outputs[0][2]
    return bool(outputs[0][1] == cells and isinstance(columns, int) and columns > 5 + max(COCO))


def letterboxed(image: U8, side: int) -> tuple[F32, float]:
    """The image in the upper left of a grey square, as YOLOX takes it, and how much smaller it is."""
    import cv2

    scale = side / max(image.shape[:2])
    height, width = (min(round(n * scale), side) for n in image.shape[:2])
    square = np.full((side, side, 3), GREY, dtype=np.float32)
    square[:height, :width] = cv2.resize(image, (width, height))[..., ::-1]
    return square.transpose(2, 0, 1)[None].copy(), scale


def decoded(raw: F32, side: int) -> tuple[F64, F64]:
    """(N, 4) boxes in the square and (N, C) scores of what the network says of the cells of its grids."""
    cells, steps = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: side // stride, : side // stride]
        cells.append(np.column_stack([x.ravel(), y.ravel()]))
        steps.append(np.full(x.size, stride))
    cell, step = np.concatenate(cells), np.concatenate(steps)[:, None]
    found = raw.astype(np.float64)
    centers, sizes = (found[:, :2] + cell) * step, np.exp(np.minimum(found[:, 2:4], 12.0)) * step
    boxes = np.hstack([centers - sizes / 2, centers + sizes / 2])
    return boxes, found[:, 4:5] * found[:, 5:]


def overlaps(a: F64, b: F64) -> F64:
    """(A, B) intersection over union of rectangles."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1) for boxes in (a, b)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9))


def _apart(boxes: F64) -> I64:
    """Which boxes, the surest first, are not nearly the same as a surer one."""
    clash, keep = overlaps(boxes, boxes) > DOUBLE_IOU, np.ones(len(boxes), dtype=np.bool_)
    for i in range(len(boxes)):
        if keep[i]:
            keep[i + 1 :] &= ~clash[i, i + 1 :]
    return np.flatnonzero(keep)
