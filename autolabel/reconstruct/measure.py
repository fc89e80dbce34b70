"""Boxes to measurements."""

from __future__ import annotations

import numpy as np

from autolabel.reconstruct.config import ReconstructConfig
from autolabel.smoother import Measurements
from calib.types import F64
from fusion.boxes import Boxes
from fusion.categories import Kind

SUREST = 1e-4


def of_keys(times_s: F64, places: F64, yaws_rad: F64, settings: ReconstructConfig) -> Measurements:
    """What a person gave."""
    return Measurements.of(times_s, places, yaws_rad, settings.key_sigma_m, settings.key_sigma_rad, firm=True)


def of_detections(
    times_s: F64,
    places: F64,
    yaws_rad: F64,
    scores: F64,
    kind: Kind,
    settings: ReconstructConfig,
) -> Measurements:
    """What a detector saw: places and headings apart, so that a wrong heading spoils no place.

    A box is less sure along its length than across: often only one end is seen.
    """
    doubt, accuracy = doubts(scores, settings), settings.accuracy_of(kind)
    count = len(times_s)
    along, across = np.cos(yaws_rad), np.sin(yaws_rad)
    axes = np.stack([np.stack([along, across], 1), np.stack([-across, along], 1)], axis=2)
    weights = 1 / np.stack([accuracy.along_m * doubt, accuracy.across_m * doubt], 1) ** 2
    information = np.zeros((2 * count, 3, 3))
    information[:count, :2, :2] = np.einsum("nik,nk,njk->nij", axes, weights, axes)
    information[count:, 2, 2] = 1 / (accuracy.turned_rad * doubt) ** 2
    heights_m = np.concatenate([accuracy.height_m * doubt, np.full(count, 1e3)])
    both = Measurements(
        np.tile(times_s, 2),
        np.tile(places, (2, 1)),
        np.tile(yaws_rad, 2),
        information,
        heights_m,
        np.zeros(2 * count, dtype=np.bool_),
    )
    return Measurements.merged([both])


def doubts(scores: F64, settings: ReconstructConfig) -> F64:
    """(N,) by what share the usual errors of detections shrink with their scores."""
    return np.asarray(np.clip(1.0 - scores, SUREST, 0.99) ** settings.sureness)


def anchored(boxes: Boxes, cars: F64, size_lwh_m: F64, share: float) -> F64:
    """(N, 3) centres once every box has the same size: what faces the car, and the ground, stay in place.

    Args:
        boxes: N of one object.
        cars: (N, 3) where the car was, in the frame of the boxes.
        size_lwh_m: (3,) the size that they get.
        share: how much of the difference is taken from the far side; half of what is left from each.
    """
    dst_from_box = boxes.dst_from_box
    facing = np.clip(dst_from_box.inverse() @ cars / (boxes.sizes_lwh_m / 2), -1.0, 1.0)
    facing[:, :2] *= share
    facing[:, 2] = -1.0
    return dst_from_box @ (facing * (boxes.sizes_lwh_m - size_lwh_m) / 2)
