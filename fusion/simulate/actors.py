"""Everything that is labelled: what it looks like and where it is at any instant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64
from fusion.simulate.mesh import Mesh
from fusion.simulate.street import Street, terrain
from fusion.trajectory import Trajectory

KNOT_NS = 10_000_000
LEAD_NS = 300_000_000  # trajectories begin before the first frame and end after the last by this much


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """What an object looks like.

    Attributes:
        category: class name.
        meshes: one a phase of its gait, in the box frame.
        size_lwh_m: (3,) the tight box around all phases.
        cycle_m: way in which the phases pass once; 0 for one phase.
        pivot_m: how far the point that follows a path lies behind the box centre: the rear axle.
    """

    category: str
    meshes: tuple[Mesh, ...]
    size_lwh_m: F64
    cycle_m: float = 0.0
    pivot_m: float = 0.0

    @classmethod
    def of(cls, category: str, meshes: list[Mesh], cycle_m: float = 0.0, rear_axle_m: float = 0.0) -> Body:
        """From meshes that stand on the ground, the rear axle of a vehicle at x = `rear_axle_m`."""
        bounds = [mesh.bounds() for mesh in meshes]
        low, high = np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)
        center = (low + high) / 2
        centred = tuple(replace(mesh, vertices=mesh.vertices - center) for mesh in meshes)
        return cls(category, centred, high - low, cycle_m, float(center[0]) - rear_axle_m)

    @property
    def radius_m(self) -> float:
        """Of the sphere around the box."""
        return float(np.linalg.norm(self.size_lwh_m)) / 2


@dataclass(frozen=True, eq=False, slots=True)
class Actor:
    """One object of the world.

    Attributes:
        id: of its track.
        body: what it looks like.
        trajectory: world_from_box over time.
        travelled_m: way gone at the trajectory's instants.
        moving: whether it ever moves.
    """

    id: str
    body: Body
    trajectory: Trajectory
    travelled_m: F64
    moving: bool

    def world_from_box(self, timestamp_ns: int) -> SE3:
        """Where the box is."""
        return self.trajectory.at(timestamp_ns)

    def poses(self, timestamps_ns: I64) -> SE3Batch:
        """Returns world_from_box at (N,) instants."""
        return self.trajectory.at_many(timestamps_ns)

    def phases(self, timestamps_ns: I64) -> I64:
        """(N,) which of the body's meshes it wears at these instants."""
        count = len(self.body.meshes)
        if count == 1:
            return np.zeros(len(timestamps_ns), np.int64)
        times = self.trajectory.timestamps_ns
        gone = np.interp((timestamps_ns - times[0]) / 1e9, (times - times[0]) / 1e9, self.travelled_m)
        return np.asarray(np.floor(gone / self.body.cycle_m * count), dtype=np.int64) % count


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """A smooth curve on the ground by its length.

    Attributes:
        length_m: of the curve.
        sd: (K, 2) the street places it was drawn through.
        at_m: (K,) lengths at those places.
        spline: of xy over the length.
    """

    length_m: float
    sd: F64
    at_m: F64
    spline: CubicSpline

    @classmethod
    def through(cls, street: Street, sd: F64) -> Path:
        """Through (K, 2) places in the street, about a metre apart."""
        xy = street.place(sd[:, 0], sd[:, 1])
        at_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
        return cls(float(at_m[-1]), sd, at_m, CubicSpline(at_m, xy))

    def length_at(self, s_m: float, d_m: float) -> float:
        """The length at which the path comes nearest to a place in the street."""
        return float(self.at_m[np.argmin(np.hypot(self.sd[:, 0] - s_m, self.sd[:, 1] - d_m))])

    def place(self, at_m: F64) -> tuple[F64, F64]:
        """(N, 2) world places and (N,) headings of the tangent."""
        slope = self.spline(at_m, 1)
        return np.asarray(self.spline(at_m)), np.arctan2(slope[:, 1], slope[:, 0])

    def curvature(self, at_m: F64) -> F64:
        """(N,) signed, positive to the left."""
        d1, d2 = self.spline(at_m, 1), self.spline(at_m, 2)
        return np.asarray((d1[:, 0] * d2[:, 1] - d1[:, 1] * d2[:, 0]) / np.linalg.norm(d1, axis=1) ** 3)


def clock(seconds: float, start_ns: int) -> I64:
    """Instants of all trajectories of a drive."""
    first = start_ns - LEAD_NS
    count = round((seconds * 1e9 + 2 * LEAD_NS) / KNOT_NS) + 1
    return first + KNOT_NS * np.arange(count, dtype=np.int64)


def upright(xy: F64, z: F64, yaws_rad: F64) -> SE3Batch:
    """Returns world_from_thing for things that stand straight."""
    c, s, o = np.cos(yaws_rad), np.sin(yaws_rad), np.zeros_like(yaws_rad)
    rotations = np.stack([c, -s, o, s, c, o, o, o, o + 1], axis=-1).reshape(-1, 3, 3)
    return SE3Batch(rotations, np.column_stack([xy, z]))


def driving(id: str, body: Body, path: Path, at_m: F64, times_ns: I64, lift_m: F64 | float = 0.0) -> Actor:
    """A vehicle whose rear axle follows a path, its heading the path's tangent (kinematic bicycle model)."""
    axle, yaws = path.place(at_m)
    xy = axle + body.pivot_m * np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
    z = terrain(xy) + lift_m + body.size_lwh_m[2] / 2
    moving = bool(np.ptp(at_m) > 0.05)
    return Actor(id, body, Trajectory(times_ns, upright(xy, z, yaws)), at_m, moving)


def standing(id: str, body: Body, world_from_ground: SE3, times_ns: I64) -> Actor:
    """Something that stays where it is, standing at a place on the ground."""
    up = np.array([0.0, 0.0, body.size_lwh_m[2] / 2])
    world_from_box = SE3(world_from_ground.rotation, world_from_ground.translation + up)
    ends = times_ns[[0, -1]]
    return Actor(id, body, Trajectory(ends, SE3Batch.stack([world_from_box] * 2)), np.zeros(2), False)
