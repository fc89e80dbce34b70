"""Which end of a vehicle is its front."""

from __future__ import annotations

import numpy as np

from autolabel.detect.shapes import Shapes
from autolabel.world import LocalWorld
from calib.types import F64, Bools
from fusion.boxes import Boxes

MOVING_MPS = 0.7
BONNET_M = 0.2
BESIDE_M = 20.0
ALONG_RAD = np.radians(30.0)


def backwards(shapes: Shapes, boxes: Boxes, road: F64, right_hand: bool) -> Bools:
    """(C,) whether vehicles face the other way than their boxes do.

    The way they move decides; where they stand, the lower end is the bonnet; where both are alike, vehicles
    beside the road of (P, 4) places and directions face as the traffic on that side of it goes.
    """
    yaws = boxes.dst_from_box.yaws_rad
    ahead = np.column_stack([np.cos(yaws), np.sin(yaws)])
    motion = np.einsum("ni,ni->n", np.nan_to_num(shapes.moved_m), ahead) / MOVING_MPS
    shape = np.nan_to_num(_rise(shapes, yaws)) / BONNET_M
    side = _with_traffic(boxes, road, ahead, right_hand)
    vote = np.where(np.abs(motion) > 1, motion, np.where(np.abs(shape) > 1, shape, side))
    return np.asarray(vote < 0)


def _rise(shapes: Shapes, yaws_rad: F64) -> F64:
    """(C,) how much higher the rear is than the front."""
    turns = np.round((yaws_rad - shapes.yaws_rad) / (np.pi / 2)).astype(np.int64) % 4
    front, rear = np.array([0, 2, 1, 3])[turns], np.array([1, 3, 0, 2])[turns]
    every = np.arange(len(turns))
    return np.asarray(shapes.end_heights_m[every, rear] - shapes.end_heights_m[every, front])


def _with_traffic(boxes: Boxes, road: F64, ahead: F64, right_hand: bool) -> F64:
    """(C,) 1 for boxes that face as traffic beside the road does, -1 for the others, 0 away from it."""
    from scipy.spatial import cKDTree

    if len(road) == 0 or len(boxes) == 0:
        return np.zeros(len(boxes))
    places = boxes.dst_from_box.translations[:, :2]
    away_m, nearest = cKDTree(road[:, :2]).query(places)
    along, out = road[nearest, 2:], places - road[nearest, :2]
    left = along[:, 0] * out[:, 1] - along[:, 1] * out[:, 0]
    same = np.einsum("ni,ni->n", along, ahead)
    known = (away_m < BESIDE_M) & (np.abs(same) > np.cos(ALONG_RAD))
    own_side = (left < CENTRE_LINE_M) if right_hand else (left > -CENTRE_LINE_M)
    return np.asarray(np.where(known, np.where(own_side, np.sign(same), -np.sign(same)), 0.0))


CENTRE_LINE_M = 2.0


def road_of(world: LocalWorld, step_m: float = 1.0) -> F64:
    """(P, 4) places of the car on its way and its directions there, extended straight on at both ends."""
    places = world.local_from_ego(world.trajectory.timestamps_ns)
    xy, yaws = places.translations[:, :2], places.yaws_rad
    ahead = np.column_stack([np.cos(yaws), np.sin(yaws)])
    way_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    kept = np.unique(np.searchsorted(way_m, np.arange(0.0, way_m[-1] + step_m, step_m)).clip(max=len(xy) - 1))
    reach = np.arange(1.0, 45.0)[:, None]
    before, after = xy[0] - reach * ahead[0], xy[-1] + reach * ahead[-1]
    directions = np.concatenate([np.tile(ahead[0], (44, 1)), ahead[kept], np.tile(ahead[-1], (44, 1))])
    return np.column_stack([np.concatenate([before, xy[kept], after]), directions])
