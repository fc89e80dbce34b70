"""The street: its course, its cross-section and the ground it lies on.

A place in the street is (s, d): s metres along its centre line, d metres to the left of it. Traffic keeps to
the right, so the lane of the car is at negative d.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from calib.se3 import SE3
from calib.types import F64, Bools
from fusion.simulate.config import SimulationConfig
from fusion.simulate.materials import Material
from fusion.simulate.mesh import Mesh, quads

LANE_M = 1.8  # middle of a lane
LANE_EDGE_M = 3.6
CYCLE_LANE_M = 4.3
PARKING_M = 6.2
KERB_M = 7.3
WALK_M = 9.6
FRONT_M = 11.4  # where houses and gardens begin
CROSS_HALF_M = 5.2  # half the width of the street that crosses
CROSS_LANE_M = 2.3
CROSS_FRONT_M = 9.4
ZEBRA_M = (6.2, 9.2)  # zebra over the main street, from the middle of the crossing
CROSS_ZEBRA_M = (8.2, 11.0)  # zebra over the crossing street, from the main street's centre line
STOP_LINE_M = 10.4
KERB_HEIGHT_M = 0.12
DEPTH_M = 78.0
BEND_RADIUS_M = 130.0
STEP_M = 0.5
HEADING_RAD = 0.6  # the street does not follow the world's axes, so that mixing the two shows


@dataclass(frozen=True, eq=False, slots=True)
class Street:
    """A street with one crossing.

    Attributes:
        s_m: (K,) knots along the centre line.
        xy: (K, 2) the centre line in the world.
        headings_rad: (K,) its directions.
        crossing_m: where the crossing is.
        start_m: first s.
        end_m: last s.
    """

    s_m: F64
    xy: F64
    headings_rad: F64
    crossing_m: float
    start_m: float
    end_m: float

    @classmethod
    def of(cls, config: SimulationConfig) -> Street:
        """The street that a drive needs."""
        way_m = config.seconds * config.ego_speed_mps
        crossing_m = 42.0 if config.style == "stop" else max(24.0, 0.5 * way_m)
        start_m, end_m = -config.street_margin_m, max(way_m, crossing_m) + config.street_margin_m
        s_m = np.arange(start_m, end_m + STEP_M, STEP_M)
        bend = np.zeros_like(s_m)
        if config.style == "curve":
            from_crossing = np.abs(s_m - crossing_m)
            ramp = np.clip((from_crossing - 16.0) / 14.0, 0, 1) * np.clip(
                (110.0 - from_crossing) / 20.0, 0, 1
            )
            bend = np.where(s_m < crossing_m, 1.0, -1.0) * ramp / BEND_RADIUS_M
        headings = HEADING_RAD + np.concatenate([[0], np.cumsum((bend[1:] + bend[:-1]) / 2 * STEP_M)])
        middle = (headings[1:] + headings[:-1]) / 2
        steps = STEP_M * np.stack([np.cos(middle), np.sin(middle)], axis=1)
        xy = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        xy -= xy[np.argmin(np.abs(s_m))]
        return cls(s_m, xy, headings, crossing_m, start_m, end_m)

    def heading_rad(self, s_m: ArrayLike) -> F64:
        """Direction of the centre line."""
        return np.asarray(np.interp(np.asarray(s_m, np.float64), self.s_m, self.headings_rad))

    def place(self, s_m: ArrayLike, d_m: ArrayLike) -> F64:
        """(..., 2) world coordinates of places in the street; straight on past its ends."""
        s, d = np.broadcast_arrays(np.asarray(s_m, np.float64), np.asarray(d_m, np.float64))
        heading = self.heading_rad(s)
        past = s - np.clip(s, self.s_m[0], self.s_m[-1])
        x = np.interp(s, self.s_m, self.xy[:, 0]) + past * np.cos(heading) - d * np.sin(heading)
        y = np.interp(s, self.s_m, self.xy[:, 1]) + past * np.sin(heading) + d * np.cos(heading)
        return np.stack([x, y], axis=-1)

    def stand(self, s_m: float, d_m: float, turn_rad: float = 0.0) -> SE3:
        """Returns world_from_thing for something on the ground, turned against the street's direction."""
        xy = self.place(s_m, d_m)
        z = float(terrain(xy)) + float(self.kerb_height(s_m, d_m))
        return SE3.from_yaw(float(self.heading_rad(s_m)) + turn_rad, np.array([*xy, z]))

    def raised(self, s_m: ArrayLike, d_m: ArrayLike) -> Bools:
        """Whether a place lies on a pavement (or behind one) and not on the carriageway."""
        off_cross = np.abs(np.asarray(s_m) - self.crossing_m) > CROSS_HALF_M
        return np.asarray((np.abs(np.asarray(d_m)) > KERB_M) & off_cross)

    def kerb_height(self, s_m: ArrayLike, d_m: ArrayLike) -> F64:
        """Height over the carriageway; the kerb is taken in one step of 30 cm by those who walk."""
        across = np.clip((np.abs(np.asarray(d_m)) - KERB_M) / 0.3, 0, 1)
        along = np.clip((np.abs(np.asarray(s_m) - self.crossing_m) - CROSS_HALF_M) / 0.3, 0, 1)
        return np.asarray(KERB_HEIGHT_M * np.minimum(across, along))

    def ground(self) -> Mesh:
        """Carriageways, kerbs and pavements; uv is (s, d)."""
        kerbs = (-KERB_M, KERB_M)
        cross = (self.crossing_m - CROSS_HALF_M, self.crossing_m + CROSS_HALF_M)
        s_lines, d_lines = _lines(self.start_m, self.end_m, 2.0, cross), _lines(-DEPTH_M, DEPTH_M, 2.5, kerbs)
        s_mid, d_mid = (s_lines[1:] + s_lines[:-1]) / 2, (d_lines[1:] + d_lines[:-1]) / 2
        up = self.raised(s_mid[:, None], d_mid[None, :])
        i, j = (
            index.ravel()
            for index in np.meshgrid(np.arange(len(s_mid)), np.arange(len(d_mid)), indexing="ij")
        )
        s = np.stack([s_lines[i], s_lines[i + 1], s_lines[i + 1], s_lines[i]], axis=1)
        d = np.stack([d_lines[j], d_lines[j], d_lines[j + 1], d_lines[j + 1]], axis=1)
        faces = [(s, d, np.repeat(up.ravel()[:, None], 4, axis=1).astype(np.float64))]
        si, sj = np.nonzero(up[1:] != up[:-1])  # kerbs across the street
        s0, d0, d1 = s_lines[si + 1], d_lines[sj], d_lines[sj + 1]
        faces.append(_kerb(np.stack([s0, s0], 1), np.stack([d0, d1], 1), up[si + 1, sj]))
        di, dj = np.nonzero(up[:, 1:] != up[:, :-1])  # kerbs along the street
        d0, s0, s1 = d_lines[dj + 1], s_lines[di], s_lines[di + 1]
        faces.append(_kerb(np.stack([s1, s0], 1), np.stack([d0, d0], 1), up[di, dj + 1]))
        s, d, high = (np.concatenate(columns) for columns in zip(*faces, strict=True))
        xy = self.place(s, d)
        z = terrain(xy) + KERB_HEIGHT_M * high
        return quads(
            np.concatenate([xy, z[..., None]], axis=-1),
            Material.GROUND,
            (0.5, 0.5, 0.5),
            np.stack([s, d], -1),
        )


def terrain(xy: F64) -> F64:
    """Height of the carriageway over the world's xy plane: a few gentle waves."""
    return np.asarray(0.16 * np.sin(xy[..., 0] / 37 + 0.5) * np.cos(xy[..., 1] / 29 + 0.3), dtype=np.float64)


def _lines(start: float, end: float, step: float, through: tuple[float, float]) -> F64:
    """Grid lines at about even steps that pass through given places."""
    stops = [start, *through, end]
    parts = [np.linspace(a, b, max(2, round((b - a) / step) + 1))[:-1] for a, b in pairwise(stops)]
    return np.concatenate([*parts, [end]])


def _kerb(s: F64, d: F64, far_is_up: Bools) -> tuple[F64, F64, F64]:
    """Standing faces between (N, 2) pairs of places, looking to the side that is low."""
    ends = np.where(far_is_up[:, None], [0, 1, 1, 0], [1, 0, 0, 1])
    high = np.broadcast_to(np.array([0.0, 0.0, 1.0, 1.0]), ends.shape)
    rows = np.arange(len(s))[:, None]
    return s[rows, ends], d[rows, ends], high
