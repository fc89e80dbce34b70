"""How a view looks at the scene: around a point in perspective, or flat onto one side of a box.

Views are values in the ego frame of the frame that is shown. The axes of a view are x right, y up, z towards
the eye; pixels count from the top left corner of the view, as a window does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from calib.se3 import SE3
from calib.types import F64, Floats
from fusion.boxes import Box3D

NEAR_M, FAR_M = 0.3, 30_000.0
STEEPEST_RAD = np.radians(89.9)
NEAREST_M, FARTHEST_M = 1.0, 10_000.0
FINEST_M_PER_PX, COARSEST_M_PER_PX = 0.001, 1.0


@dataclass(frozen=True, slots=True)
class Size:
    """Of a view in pixels."""

    width_px: float
    height_px: float

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width_px / max(self.height_px, 1.0)


@dataclass(frozen=True, slots=True)
class Ray:
    """What lies under one pixel: all places `origin + t * direction` with t >= 0."""

    origin: F64
    direction: F64

    def at_height(self, z_m: float) -> F64 | None:
        """Where it meets a level plane in front of the eye, if it does."""
        if abs(self.direction[2]) < 1e-9:
            return None
        t = (z_m - self.origin[2]) / self.direction[2]
        return None if t < 0 else np.asarray(self.origin + t * self.direction)


class View(Protocol):
    """Anything that turns places in the ego frame into places on the screen."""

    @property
    def view_from_ego(self) -> SE3:
        """Where the eye is."""

    def clip_from_view(self, size: Size) -> F64:
        """(4, 4) projection in the convention of OpenGL."""


def clip_from_ego(view: View, size: Size) -> F64:
    """(4, 4) all that the graphics card needs."""
    return np.asarray(view.clip_from_view(size) @ view.view_from_ego.matrix)


def to_pixels(view: View, size: Size, places: Floats) -> tuple[F64, F64]:
    """(N, 2) pixels and (N,) depth in front of the eye in metres; what lies behind it gets NaN."""
    seen = view.view_from_ego @ np.asarray(places, dtype=np.float64)
    clip = np.column_stack([seen, np.ones(len(seen))]) @ view.clip_from_view(size).T
    with np.errstate(divide="ignore", invalid="ignore"):
        ndc = np.where(clip[:, 3:] > 1e-9, clip[:, :2] / clip[:, 3:], np.nan)
    u, v = (ndc[:, 0] + 1) * size.width_px / 2, (1 - ndc[:, 1]) * size.height_px / 2
    return np.column_stack([u, v]), -seen[:, 2]


def ray_at(view: View, size: Size, uv_px: tuple[float, float]) -> Ray:
    """What lies under a pixel."""
    x, y = 2 * uv_px[0] / size.width_px - 1, 1 - 2 * uv_px[1] / size.height_px
    ego_from_clip = np.linalg.inv(clip_from_ego(view, size))
    ends = np.array([[x, y, -1.0, 1.0], [x, y, 1.0, 1.0]]) @ ego_from_clip.T
    near, far = ends[:, :3] / ends[:, 3:]
    return Ray(near, (far - near) / np.linalg.norm(far - near))


@dataclass(frozen=True, slots=True)
class Orbit:
    """Perspective around a point.

    Attributes:
        target: (3,) the point in the ego frame.
        distance_m: of the eye from it.
        azimuth_rad: direction in which the eye looks, seen from above; 0 looks ahead.
        elevation_rad: how far the eye looks down.
        opening_rad: vertical opening angle.
    """

    target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    distance_m: float = 40.0
    azimuth_rad: float = 0.0
    elevation_rad: float = np.radians(35.0)
    opening_rad: float = np.radians(50.0)

    @property
    def view_from_ego(self) -> SE3:
        """Where the eye is."""
        c, s = np.cos(self.azimuth_rad), np.sin(self.azimuth_rad)
        down, level = np.sin(self.elevation_rad), np.cos(self.elevation_rad)
        ahead = np.array([c * level, s * level, -down])
        right = np.array([s, -c, 0.0])
        up = np.cross(right, ahead)
        eye = np.array(self.target) - self.distance_m * ahead
        ego_from_view = SE3(np.column_stack([right, up, -ahead]), eye)
        return ego_from_view.inverse()

    def clip_from_view(self, size: Size) -> F64:
        """(4, 4) perspective."""
        focal = 1 / np.tan(self.opening_rad / 2)
        span = NEAR_M - FAR_M
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = focal / size.aspect, focal
        clip[2, 2], clip[2, 3], clip[3, 2] = (NEAR_M + FAR_M) / span, 2 * NEAR_M * FAR_M / span, -1.0
        return clip

    def turned(self, dx_px: float, dy_px: float) -> Orbit:
        """After a drag that turns: half a degree a pixel."""
        elevation_rad = self.elevation_rad + np.radians(0.4) * dy_px
        return replace(
            self,
            azimuth_rad=(self.azimuth_rad - np.radians(0.4) * dx_px + np.pi) % (2 * np.pi) - np.pi,
            elevation_rad=float(np.clip(elevation_rad, -STEEPEST_RAD, STEEPEST_RAD)),
        )

    def shifted(self, dx_px: float, dy_px: float, size: Size) -> Orbit:
        """After a drag that moves along: what lies at the target stays under the pointer."""
        ego_from_view = self.view_from_ego.inverse()
        m_per_px = 2 * self.distance_m * np.tan(self.opening_rad / 2) / size.height_px
        return self._moved(ego_from_view.rotation @ np.array([-dx_px, dy_px, 0.0]) * m_per_px)

    def walked(self, ahead_m: float, left_m: float, up_m: float = 0.0) -> Orbit:
        """After steps over the ground in the direction of sight."""
        c, s = np.cos(self.azimuth_rad), np.sin(self.azimuth_rad)
        return self._moved(np.array([c * ahead_m - s * left_m, s * ahead_m + c * left_m, up_m]))

    def zoomed(self, steps: float, towards: Floats | None = None) -> Orbit:
        """Nearer with positive steps; what lies at `towards` stays where it is on the screen."""
        distance_m = float(np.clip(self.distance_m * 0.85**steps, NEAREST_M, FARTHEST_M))
        zoomed = replace(self, distance_m=distance_m)
        if towards is None:
            return zoomed
        share = 1 - distance_m / self.distance_m
        return zoomed._moved(share * (np.asarray(towards) - np.array(self.target)))

    def onto(self, place: Floats, distance_m: float | None = None) -> Orbit:
        """The same around another point."""
        x, y, z = (float(value) for value in place)
        return replace(self, target=(x, y, z), distance_m=distance_m or self.distance_m)

    def _moved(self, way: F64) -> Orbit:
        return self.onto(np.array(self.target) + way)


class Side(StrEnum):
    """From where a flat view looks at a box."""

    TOP = "top"
    SIDE = "side"
    REAR = "rear"


# The axes of each flat view (right, up, towards the eye) in the frame of its box. From behind, left is left
# as in the view from above; from the side one sees the left side of a box that drives to the left.
_AXES = {
    Side.TOP: np.column_stack([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    Side.SIDE: np.column_stack([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
    Side.REAR: np.column_stack([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]]),
}


@dataclass(frozen=True, slots=True)
class Flat:
    """Straight onto one side of a box, without perspective.

    Attributes:
        side: which side.
        ego_from_box: the box that the view is tied to.
        m_per_px: how large a pixel is.
        off_m: (2,) how far right and up of the middle of the box the middle of the view lies.
        depth_m: half the depth of the slice that is shown.
    """

    side: Side
    ego_from_box: SE3
    m_per_px: float = 0.02
    off_m: tuple[float, float] = (0.0, 0.0)
    depth_m: float = 20.0

    @classmethod
    def around(cls, side: Side, box: Box3D, size: Size, margin: float = 1.8) -> Flat:
        """So that a box fills the view, with some room around it."""
        across_m, up_m = np.abs(_AXES[side][:, :2].T) @ box.size_lwh_m
        m_per_px = margin * max(across_m / size.width_px, up_m / size.height_px)
        depth_m = 0.5 * float(np.abs(_AXES[side][:, 2]) @ box.size_lwh_m) + 0.4
        return cls(side, box.ego_from_box, float(m_per_px), (0.0, 0.0), 20.0 if side is Side.TOP else depth_m)

    @property
    def view_from_box(self) -> SE3:
        """The axes of the view in the frame of the box."""
        box_from_view = SE3(_AXES[self.side], _AXES[self.side][:, :2] @ np.array(self.off_m))
        return box_from_view.inverse()

    @property
    def view_from_ego(self) -> SE3:
        """Where the middle of the view is."""
        box_from_ego = self.ego_from_box.inverse()
        return self.view_from_box @ box_from_ego

    def clip_from_view(self, size: Size) -> F64:
        """(4, 4) parallel projection."""
        across_m, up_m = size.width_px * self.m_per_px, size.height_px * self.m_per_px
        return np.diag([2 / across_m, 2 / up_m, -1 / self.depth_m, 1.0])

    def metres(self, size: Size, uv_px: tuple[float, float]) -> F64:
        """(2,) right and up of the middle of the box."""
        x_m = (uv_px[0] - size.width_px / 2) * self.m_per_px
        y_m = (size.height_px / 2 - uv_px[1]) * self.m_per_px
        return np.array([x_m + self.off_m[0], y_m + self.off_m[1]])

    def reach_m(self, size: Size) -> float:
        """No point that lies farther than this from the middle of the box, seen from above, is shown."""
        across_m = size.width_px * self.m_per_px / 2 + abs(self.off_m[0])
        up_m = size.height_px * self.m_per_px / 2 + abs(self.off_m[1])
        return float(np.hypot(across_m, up_m if self.side is Side.TOP else self.depth_m))

    def shifted(self, dx_px: float, dy_px: float) -> Flat:
        """After a drag that moves along."""
        off_m = (self.off_m[0] - dx_px * self.m_per_px, self.off_m[1] + dy_px * self.m_per_px)
        return replace(self, off_m=off_m)

    def zoomed(self, steps: float, size: Size, uv_px: tuple[float, float]) -> Flat:
        """Nearer with positive steps; what lies under a pixel stays there."""
        m_per_px = float(np.clip(self.m_per_px * 0.85**steps, FINEST_M_PER_PX, COARSEST_M_PER_PX))
        zoomed = replace(self, m_per_px=m_per_px)
        way_m = self.metres(size, uv_px) - zoomed.metres(size, uv_px)
        return replace(zoomed, off_m=(self.off_m[0] + float(way_m[0]), self.off_m[1] + float(way_m[1])))
