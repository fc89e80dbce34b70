"""Where objects are labelled at all: what the cameras show, or all around the car, up to some distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.world import CAR_M, LocalWorld, Sightings
from calib.rig import Camera
from calib.se3 import SE3Batch
from calib.types import F64, Bools

NEARLY_ALL = 0.98
INSIDE_OUT = 1.1
# Places all over a box whose sides are 1, its surface included.
PLACES: F64 = np.stack(
    np.meshgrid(np.linspace(-0.5, 0.5, 7), np.linspace(-0.5, 0.5, 3), [-0.4, 0.0, 0.4]), axis=-1
).reshape(-1, 3)


@dataclass(frozen=True, eq=False, slots=True)
class Scope:
    """The region around the car in which objects are labelled.

    Attributes:
        world: of the log.
        cameras: those whose images bound the region; none where it lies all around the car.
        farthest_m: no object is labelled further away.
    """

    world: LocalWorld
    cameras: tuple[Camera, ...]
    farthest_m: float

    @classmethod
    def of(cls, given: Sightings, others_m: F64, world: LocalWorld) -> Scope:
        """As all boxes of a log that were given tell: do nearly all of them show in an image?

        `others_m` (N,) are distances from the car at which anything else was seen.
        """
        cameras = tuple(world.log.rig.cameras.values())
        ego_from_local = world.local_from_ego(given.times_ns).inverse()
        away_m = np.linalg.norm((ego_from_local @ given.local_from_box.translations)[:, :2], axis=1)
        farthest_m = max(float(away_m.max(initial=0.0)), float(others_m.max(initial=0.0)))
        scope = cls(world, cameras, INSIDE_OUT * farthest_m)
        bounded = bool(cameras) and len(given) > 0 and (scope.shares(given) > 0).mean() >= NEARLY_ALL
        return scope if bounded else cls(world, (), scope.farthest_m)

    def shares(self, path: Sightings) -> F64:
        """(N,) how much of each box lies in the region, about."""
        ego_from_box = self.world.local_from_ego(path.times_ns).inverse() @ path.local_from_box
        near = np.linalg.norm(ego_from_box.translations[:, :2], axis=1) <= self.farthest_m
        if not self.cameras:
            return np.where(near, 1.0, 0.0)
        places, share = _places_on(ego_from_box, path.sizes_lwh_m), np.zeros(len(path))
        for camera in self.cameras:
            cam_from_ego = camera.ego_from_sensor.inverse()
            seen = camera.model.project(cam_from_ego @ places.reshape(-1, 3)).visible
            share = np.maximum(share, seen.reshape(places.shape[:2]).mean(axis=1))
        return np.asarray(share * near)

    def on_the_car(self, path: Sightings) -> Bools:
        """(N,) whether each box stands where the car does: from above, the LiDAR lies in it or nearly."""
        lidar = self.world.lidar_at(path.times_ns) - path.local_from_box.translations
        aside = np.abs(np.einsum("nji,nj->ni", path.local_from_box.rotations, lidar))[:, :2]
        return np.asarray((aside < path.sizes_lwh_m[:, :2] / 2 + CAR_M).all(axis=1))


def _places_on(ego_from_box: SE3Batch, sizes_lwh_m: F64) -> F64:
    """(N, P, 3) places all over each box."""
    turned = np.einsum("nij,npj->npi", ego_from_box.rotations, PLACES[None] * sizes_lwh_m[:, None, :])
    return np.asarray(turned + ego_from_box.translations[:, None, :])
