"""A vector that a network of the user's own makes of an object's picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autolabel.detect.networks import Network
from calib.errors import CrosslabelError
from calib.types import F32, F64, U8

# What networks trained on ImageNet take: RGB in 0..1, less its mean, by its spread.
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
USUAL_SIDE, LARGEST_SIDE = 224, 2048


@dataclass(frozen=True, eq=False, slots=True)
class Embedding:
    """Any image network: (1, 3, H, W) float32 RGB as ImageNet's in; (1, E), or (1, E, h, w) to average, out.

    Attributes:
        network: that is run.
        height: of its images.
        width: of its images.
        length: of its vectors.
    """

    network: Network
    height: int
    width: int
    length: int

    @classmethod
    def open(cls, path: Path) -> Embedding:
        """From an .onnx file.

        Raises:
            CrosslabelError: onnxruntime is missing, or the file holds no such network.
        """
        network = Network.open(path)
        inputs, outputs = network.session.get_inputs(), network.session.get_outputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or len(outputs[0].shape) not in (2, 4):
            raise CrosslabelError(
                f"{path}: no embedding network: (1, 3, H, W) in, (1, E) or (1, E, h, w) out"
            )
        height, width = (side if isinstance(side, int) else USUAL_SIDE for side in shape[2:])
        if not 0 < height <= LARGEST_SIDE or not 0 < width <= LARGEST_SIDE:
            raise CrosslabelError(f"{path}: takes images of {width} x {height} pixels")
        grey = np.full((USUAL_SIDE, USUAL_SIDE, 3), 128, dtype=np.uint8)
        return cls(network, height, width, len(_vector(network, grey, height, width)))

    def of(self, pictures: Sequence[U8 | None]) -> F32:
        """(N, E) vectors of unit length of (S, S, 3) uint8 RGB pictures; zeros where there is none.

        Raises:
            CrosslabelError: the network answers with a vector of another length, or with what is no number.
        """
        rows = np.zeros((len(pictures), self.length), np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            if picture is None:
                continue
            vector = _vector(self.network, picture, self.height, self.width)
            if len(vector) != self.length:
                raise CrosslabelError(f"{self.network.path}: answers with vectors of several lengths")
            row[:] = vector
        return rows


def _vector(network: Network, picture: U8, height: int, width: int) -> F64:
    import cv2

    rgb = cv2.resize(np.ascontiguousarray(picture), (width, height)).astype(np.float32) / 255
    planes = ((rgb - np.array(MEAN)) / np.array(SPREAD)).transpose(2, 0, 1)[None]
    answer = network.run({network.inputs[0]: np.ascontiguousarray(planes, np.float32)})[0]
    if answer.ndim not in (2, 4) or len(answer) != 1:
        raise CrosslabelError(f"{network.path}: answers in shape {answer.shape}, not (1, E) or (1, E, h, w)")
    values = answer.astype(np.float64)
    vector = values.mean(axis=(2, 3))[0] if values.ndim == 4 else values[0]
    if not np.isfinite(vector).all():
        raise CrosslabelError(f"{network.path}: answers with what is no number")
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float64)
