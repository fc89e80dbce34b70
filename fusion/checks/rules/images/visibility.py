"""C5: how much of an object is said to be visible, against what the images and other boxes leave of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from calib.rig import Camera
from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, rule
from fusion.checks.rules.images.truncation import GRID
from fusion.labels import Attributes

NAMES = ("visibility", "visibility_level")
BIN = re.compile(r"v(\d+)-(\d+)")
WORDS = {"full": (0.7, 1.0), "most": (0.4, 0.7), "partial": (0.0, 0.4), "none": (0.0, 0.0)}
CLEAR = 0.98


@rule("C5", "visibility is said wrong", Severity.INFO, chance=0.4, most_off=0.4, least_frames=2)
def said_too_visible(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """More of it is said to be seen than lies in the images of all cameras and behind no other box.

    Bins as in nuScenes (v0-40 to v80-100, of the panorama of all cameras), the words of T4, or shares. What
    else may hide it, such as walls, is not known, so only what is said to be too visible is found: two bins
    of nuScenes by default.
    """
    least = np.array([_least(a.attributes) for a in facts.annotations], dtype=np.float64)
    rows_told = np.flatnonzero(least > limits["most_off"])
    if not facts.log.rig.cameras or len(rows_told) == 0:
        return
    seen, cameras = np.ones(len(facts)), tuple(facts.log.rig.cameras.values())
    for time_ns in np.unique(facts.times_ns[rows_told]):
        here = np.flatnonzero(facts.times_ns == time_ns)
        asked = np.isin(here, rows_told)
        seen[here[asked]] = visible_shares(facts.boxes.take(here), asked, cameras)
    off = np.where(np.isfinite(least), least - seen, 0.0)
    for rows in facts.episodes(off > limits["most_off"]):
        if len(rows) >= limits["least_frames"]:
            worst = rows[np.argmax(off[rows])]
            told = f"at least {100 * least[worst]:.0f} % of it is said to be seen"
            words = f"{told}, and images and other boxes leave {100 * seen[worst]:.0f} % {frames_said(rows)}"
            yield boxes_found(facts, rows, words, value=off[worst], limit=limits["most_off"])


def visible_shares(boxes: Boxes, asked: Bools, cameras: tuple[Camera, ...]) -> F64:
    """(M,) of the M boxes asked for, which share any camera has in its image with no other box before it.

    Args:
        boxes: N of one frame, in the ego frame.
        asked: (N,).
        cameras: all that look.
    """
    places = _places(boxes.take(asked))
    numbers = np.flatnonzero(asked)
    seen = np.zeros(places.shape[:2], dtype=bool)
    for camera in cameras:
        cam_from_ego = camera.ego_from_sensor.inverse()
        inside = camera.model.project(cam_from_ego @ places.reshape(-1, 3)).visible.reshape(seen.shape)
        for row, number in enumerate(numbers):
            open_places = inside[row] & ~seen[row]
            if open_places.any():
                rays = places[row, open_places] - camera.ego_from_sensor.translation
                hidden = _hidden(camera.ego_from_sensor.translation, rays, boxes, int(number))
                seen[row, open_places] = ~hidden
    return np.asarray(seen.mean(axis=1))


def _places(boxes: Boxes) -> F64:
    local = GRID[None] * boxes.sizes_lwh_m[:, None]
    turned = np.einsum("nij,nkj->nki", boxes.dst_from_box.rotations, local)
    return np.asarray(turned + boxes.dst_from_box.translations[:, None])


def _hidden(origin: F64, rays: F64, boxes: Boxes, own: int) -> Bools:
    """Whether a ray (K, 3) meets another box before its end: slabs (Kay and Kajiya, 1986)."""
    others = np.flatnonzero(_near(origin, rays, boxes) & (np.arange(len(boxes)) != own))
    hidden = np.zeros(len(rays), dtype=bool)
    for other in others:
        box_axes = boxes.dst_from_box.rotations[other].T
        start = box_axes @ (origin - boxes.dst_from_box.translations[other])
        along = rays @ box_axes.T
        with np.errstate(divide="ignore", invalid="ignore"):
            half = boxes.sizes_lwh_m[other] / 2
            crossings = np.stack([(-half - start) / along, (half - start) / along])
        enters = np.nanmax(np.nanmin(crossings, axis=0), axis=1)
        leaves = np.nanmin(np.nanmax(crossings, axis=0), axis=1)
        hidden |= (enters < leaves) & (leaves > 0) & (enters < CLEAR)
    return hidden


def _near(origin: F64, rays: F64, boxes: Boxes) -> Bools:
    """Boxes that may touch the cone of some rays before their ends."""
    middle = rays.mean(axis=0)
    length = float(np.linalg.norm(middle))
    toward = boxes.dst_from_box.translations - origin
    along = toward @ middle / max(length, 1e-9)
    aside = np.linalg.norm(toward - along[:, None] * middle / max(length, 1e-9), axis=1)
    spread = float(np.linalg.norm(rays - middle, axis=1).max())
    radius = np.linalg.norm(boxes.sizes_lwh_m, axis=1) / 2
    return np.asarray((along > -radius) & (along - radius < length + spread) & (aside < spread + radius))


def _least(attributes: Attributes) -> float:
    """The smallest share that what is said allows; not a number where nothing is."""
    for name in NAMES:
        value = attributes.get(name)
        if isinstance(value, str):
            found = BIN.fullmatch(value)
            if found is not None:
                return int(found[1]) / 100
            if value in WORDS:
                return WORDS[value][0]
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
    return float("nan")
