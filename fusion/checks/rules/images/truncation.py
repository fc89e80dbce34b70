"""C6: what is said of an object being cut off by the border of the image, against where it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64
from fusion.boxes import Boxes
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, rule
from fusion.labels import Attributes

STEPS = np.linspace(-0.45, 0.45, 5)
GRID = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(-1, 3)
NAMES = ("truncated", "truncation")


@rule("C6", "truncation is said wrong", Severity.INFO, chance=0.4, most_off=0.5, least_frames=2)
def said_wrong(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Data sets say which share of an object lies outside of the image; the box says it too.

    Whole numbers, as in KITTI's tracks, are levels and not shares; they are not compared.
    """
    told = np.array([_told(a.attributes) for a in facts.annotations], dtype=np.float64)
    known = np.flatnonzero(np.isfinite(told))
    said = told[known]
    if len(facts.log.rig.cameras) != 1 or bool((said == np.round(said)).all()):
        return
    cut, off = np.zeros(len(facts)), np.zeros(len(facts))
    cut[known] = _cut_off(facts, facts.boxes.take(known))
    off[known] = np.abs(said - cut[known])
    for rows in facts.episodes(off > limits["most_off"]):
        if len(rows) >= limits["least_frames"]:
            worst = rows[np.argmax(off[rows])]
            words = f"truncation is said to be {told[worst]:g}, and {100 * cut[worst]:.0f} % are cut off"
            told_words = f"{words} {frames_said(rows)}"
            yield boxes_found(facts, rows, told_words, value=off[worst], limit=limits["most_off"])


def _told(attributes: Attributes) -> float:
    for name in NAMES:
        value = attributes.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
    return float("nan")


def _cut_off(facts: Facts, boxes: Boxes) -> F64:
    """(N,) which share of each box the only camera does not have in its image."""
    (camera,) = facts.log.rig.cameras.values()
    cam_from_ego = camera.ego_from_sensor.inverse()
    local = GRID[None] * boxes.sizes_lwh_m[:, None]
    turned = np.einsum("nij,nkj->nki", boxes.dst_from_box.rotations, local)
    places_ego = turned + boxes.dst_from_box.translations[:, None]
    seen = camera.model.project(cam_from_ego @ places_ego.reshape(-1, 3)).visible
    return np.asarray(1 - seen.reshape(len(boxes), -1).mean(axis=1))
