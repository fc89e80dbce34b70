"""Errors of single boxes: where they are, how they are turned, how large they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.categories import kind_of
from fusion.seeded.kinds import ErrorKind, Level
from fusion.seeded.site import Change, Site
from fusion.seeded.survey import Life

MOVING_MPS = 3.0
STANDING_M = 1.0


def moved(box: Box3D, offset_m: ArrayLike) -> Box3D:
    """The box moved by (3,) metres along its own axes."""
    box_from_moved = SE3.from_yaw(0.0, offset_m)
    ego_from_moved = box.ego_from_box @ box_from_moved
    return Box3D(ego_from_moved, box.length_m, box.width_m, box.height_m)


def turned(box: Box3D, yaw_rad: float) -> Box3D:
    """The box turned about its own upright axis."""
    box_from_turned = SE3.from_yaw(yaw_rad)
    ego_from_turned = box.ego_from_box @ box_from_turned
    return Box3D(ego_from_turned, box.length_m, box.width_m, box.height_m)


def scaled(box: Box3D, factor: float) -> Box3D:
    """The box with another length and width, about its centre."""
    return replace(box, length_m=box.length_m * factor, width_m=box.width_m * factor)


def shifts(site: Site, level: Level) -> Iterator[Change]:
    """Boxes moved along or across their length."""
    count = 1 if level.kind is ErrorKind.SHIFT_ONE else site.config.run
    for life in site.lives():
        first = site.stretch(life, count)
        if first is None:
            continue
        axis, way_m = int(site.rng.integers(2)), level.amount * site.sign()
        offset_m = np.array([way_m, 0.0, 0.0] if axis == 0 else [0.0, way_m, 0.0])
        words = f"moved {way_m:+g} m {('along', 'across')[axis]} its length"
        yield site.on_boxes(level, life, first, count, partial(moved, offset_m=offset_m), words)


def heights(site: Site, level: Level) -> Iterator[Change]:
    """Boxes that float or are sunk, in frames whose sweeps show the ground."""
    for life in site.lives():
        first = site.stretch(life, site.config.run, partial(life.has_sweeps, count=site.config.run))
        if first is None:
            continue
        up_m = level.amount * site.sign()
        lift = partial(moved, offset_m=(0.0, 0.0, up_m))
        yield site.on_boxes(level, life, first, site.config.run, lift, f"raised by {up_m:+g} m")


def turns(site: Site, level: Level) -> Iterator[Change]:
    """Boxes of vehicles turned where they stand."""
    for life in _vehicles(site):
        first = site.stretch(life, site.config.run)
        if first is None:
            continue
        yaw_deg = level.amount * site.sign()
        turn = partial(turned, yaw_rad=float(np.radians(yaw_deg)))
        yield site.on_boxes(level, life, first, site.config.run, turn, f"turned by {yaw_deg:+g} degrees")


def flips(site: Site, level: Level) -> Iterator[Change]:
    """Boxes of vehicles that face backwards, of moving or of standing ones."""
    count, moving = site.config.run, level.kind is ErrorKind.FLIP_MOVING
    for life in _vehicles(site):
        if not moving and not is_standing(site, life):
            continue
        first = site.stretch(life, count, partial(is_moving, site, life, count=count) if moving else None)
        if first is not None:
            turn = partial(turned, yaw_rad=np.pi)
            yield site.on_boxes(level, life, first, count, turn, "facing backwards")


def sizes(site: Site, level: Level) -> Iterator[Change]:
    """Length and width of a vehicle too large or too small, in one frame or throughout."""
    for life in _vehicles(site):
        whole = level.kind is ErrorKind.SIZE_TRACK
        first = 0 if whole else site.stretch(life, 1)
        count = len(life) if whole else 1
        if first is None or not life.enough_points(first, count, site.config.min_points):
            continue
        percent = level.amount * site.sign()
        scale = partial(scaled, factor=1 + percent / 100)
        yield site.on_boxes(level, life, first, count, scale, f"{percent:+g} % in length and width")


def is_moving(site: Site, life: Life, first: int, count: int) -> bool:
    """Whether an object clearly moves about some of its frames."""
    return site.survey.knows_motion and life.speed_mps(first - 1, count + 2) >= MOVING_MPS


def is_standing(site: Site, life: Life) -> bool:
    """Whether an object stays where it is throughout."""
    return site.survey.knows_motion and life.extent_m <= STANDING_M


def _vehicles(site: Site) -> Iterator[Life]:
    return (life for life in site.lives() if kind_of(life.track.category).is_vehicle)
