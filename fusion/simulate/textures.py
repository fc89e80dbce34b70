"""Colours of surfaces, computed from places on them."""

from __future__ import annotations

import numpy as np

from calib.types import F32
from fusion.simulate.street import (
    CROSS_HALF_M,
    CROSS_ZEBRA_M,
    FRONT_M,
    KERB_M,
    LANE_EDGE_M,
    STOP_LINE_M,
    ZEBRA_M,
)

ASPHALT = np.array([0.29, 0.29, 0.30], np.float32)
SLAB = np.array([0.56, 0.54, 0.51], np.float32)
KERBSTONE = np.array([0.66, 0.65, 0.62], np.float32)
GRASS = np.array([0.30, 0.38, 0.18], np.float32)
PAINT_WHITE = np.array([0.86, 0.86, 0.84], np.float32)
CYCLE_RED = np.array([0.44, 0.25, 0.21], np.float32)
MORTAR = np.array([0.66, 0.62, 0.57], np.float32)
_LATTICE = np.random.default_rng(20240101).random((256, 256)).astype(np.float32)


def noise(x: F32, y: F32) -> F32:
    """Smooth random values in 0..1 with features about one unit wide."""
    i, j = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    fx, fy = x - i, y - j
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    i0, j0, i1, j1 = i & 255, j & 255, (i + 1) & 255, (j + 1) & 255
    near = _LATTICE[i0, j0] * (1 - fx) + _LATTICE[i1, j0] * fx
    far = _LATTICE[i0, j1] * (1 - fx) + _LATTICE[i1, j1] * fx
    return np.asarray(near * (1 - fy) + far * fy, dtype=np.float32)


def cells(i: F32, j: F32) -> F32:
    """A random value in 0..1 for each whole-numbered cell."""
    looked_up = _LATTICE[np.floor(i).astype(np.int32) & 255, np.floor(j).astype(np.int32) & 255]
    return np.asarray(looked_up, dtype=np.float32)


def ground(uv: F32, crossing_m: float, footprint_m: F32) -> F32:
    """(N, 3) sRGB of carriageways with their markings, pavements and what lies behind them."""
    s, d = uv[:, 0], uv[:, 1]
    along, across = np.abs(s - crossing_m), np.abs(d)
    fine = np.clip(1 - footprint_m / 0.08, 0, 1)
    grain = 1 + 0.25 * fine * (noise(s * 17, d * 17) - 0.5) + 0.22 * (noise(s * 0.35, d * 0.9) - 0.5)
    pavement = (across > KERB_M) & (along > CROSS_HALF_M)
    color = np.where(pavement[:, None], _pavement(s, d, along, across, fine), ASPHALT)
    cycle = ~pavement & (across > LANE_EDGE_M + 0.1) & (across < 5.0) & (along > CROSS_HALF_M + 4.5)
    color[cycle] = 0.35 * ASPHALT + 0.65 * CYCLE_RED
    worn = 0.75 + 0.25 * noise(s * 2.3 + 40, d * 2.3)
    cover = (_markings(s, d, s - crossing_m, along, across, footprint_m) * worn * ~pavement)[:, None]
    color = color * grain[:, None] * (1 - cover) + PAINT_WHITE * cover
    tracks = 0.06 * np.exp(-(((np.abs(across - 1.8) - 0.75) / 0.25) ** 2)) * ~pavement
    return np.asarray(color * (1 - tracks)[:, None], dtype=np.float32)


def _pavement(s: F32, d: F32, along: F32, across: F32, fine: F32) -> F32:
    joint = ((s % 0.6) < 0.025) | ((d % 0.6) < 0.025)
    tone = 0.92 + 0.14 * cells(s / 0.6, d / 0.6) * fine
    color = SLAB * (tone - 0.18 * joint * fine)[:, None]
    kerb = (across < KERB_M + 0.22) | (along < CROSS_HALF_M + 0.22)
    color[kerb] = KERBSTONE
    green = (across > FRONT_M) & (along > CROSS_HALF_M + 3.8)
    blades = 0.75 + 0.5 * noise(s * 5, d * 5) * fine + 0.2 * noise(s * 0.4, d * 0.4)
    color[green] = (GRASS * blades[:, None])[green]
    return color


def _markings(s: F32, d: F32, from_cross: F32, along: F32, across: F32, footprint_m: F32) -> F32:
    """How much of each place is white paint; edges are as soft as the pixel is wide."""
    soft = np.clip(footprint_m, 0.01, 0.6)

    def band(value: F32, low: float, high: float) -> F32:
        return np.asarray(
            np.clip((value - low) / soft + 0.5, 0, 1) * np.clip((high - value) / soft + 0.5, 0, 1)
        )

    def dashes(value: F32, on: float, period: float) -> F32:
        phase = value % period
        mean = on / period
        sharp = np.clip(1.2 - soft / period, 0, 1)
        return np.asarray(sharp * band(phase, 0, on) + (1 - sharp) * mean)

    open_road = band(along, STOP_LINE_M + 0.5, 1e6)
    paint = band(d, -0.07, 0.07) * dashes(s, 3.0, 7.5) * open_road
    paint = np.maximum(paint, band(across, LANE_EDGE_M - 0.06, LANE_EDGE_M + 0.06) * open_road)
    bays = band(across, 5.05, 5.15) + band(across, 5.1, KERB_M) * band(s % 6.0, 2.95, 3.05)
    paint = np.maximum(paint, bays * band(along, STOP_LINE_M + 2.5, 1e6) * dashes(s, 1.0, 1.0))
    own_lane = np.where(from_cross < 0, band(d, -5.0, -0.05), band(d, 0.05, 5.0))
    paint = np.maximum(paint, band(along, STOP_LINE_M - 0.25, STOP_LINE_M + 0.25) * own_lane)
    zebra = band(along, *ZEBRA_M) * band(across, 0, KERB_M - 0.3) * dashes(d, 0.5, 1.0)
    side_zebra = band(across, *CROSS_ZEBRA_M) * band(along, -1, CROSS_HALF_M - 0.3) * dashes(s, 0.5, 1.0)
    side_line = (
        band(across, CROSS_ZEBRA_M[1] + 0.8, 1e6) * band(from_cross, -0.07, 0.07) * dashes(d, 3.0, 7.5)
    )
    return np.asarray(np.maximum.reduce([paint, zebra, side_zebra, side_line]), dtype=np.float32)


def bricks(uv: F32, color: F32, footprint_m: F32) -> F32:
    """Courses of bricks with mortar between."""
    row = uv[:, 1] / 0.076
    column = uv[:, 0] / 0.225 + 0.5 * (np.floor(row) % 2)
    fine = np.clip(1.3 - footprint_m / 0.05, 0, 1)
    mortar = fine * (((row % 1) < 0.16) | ((column % 1) < 0.06)) + (1 - fine) * 0.2
    tone = 1 + fine * 0.4 * (cells(column, row) - 0.5) + 0.2 * (noise(uv[:, 0] * 0.7, uv[:, 1] * 0.7) - 0.5)
    return np.asarray(
        color * tone[:, None] * (1 - mortar)[:, None] + MORTAR * mortar[:, None], dtype=np.float32
    )


def plaster(uv: F32, color: F32) -> F32:
    """Rendered wall with stains that run down."""
    stain = 0.14 * (noise(uv[:, 0] * 1.7, uv[:, 1] * 0.25) - 0.5) + 0.06 * (
        noise(uv[:, 0] * 9, uv[:, 1] * 9) - 0.5
    )
    foot = 0.18 * np.clip(1 - uv[:, 1] / 0.8, 0, 1)
    return np.asarray(color * (1 + stain - foot)[:, None], dtype=np.float32)


def tiles(uv: F32, color: F32, footprint_m: F32) -> F32:
    """Rows of roof tiles."""
    fine = np.clip(1.3 - footprint_m / 0.2, 0, 1)
    row = uv[:, 1] / 0.3
    tone = 1 + fine * (
        0.3 * (cells(uv[:, 0] / 0.25 + 0.5 * (np.floor(row) % 2), row) - 0.5) - 0.35 * ((row % 1) < 0.12)
    )
    return np.asarray(color * tone[:, None], dtype=np.float32)


def window(uv: F32, tone: F32, footprint_m: F32) -> tuple[F32, F32]:
    """(N, 3) sRGB of a window, and how much of each place is pane: frames are not."""
    u, v = uv[:, 0], uv[:, 1]
    soft = np.clip(footprint_m, 0.004, 0.3)
    edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    bars = np.minimum(np.abs(u - 0.5), np.abs(v - 0.68))
    frame = np.maximum(np.clip((0.055 - edge) / soft + 0.5, 0, 1), np.clip((0.02 - bars) / soft + 0.5, 0, 1))
    inside = 0.05 + 0.06 * tone
    curtain = (tone > 0.55) & (np.abs(u - 0.5) > 0.5 - 0.35 * (tone - 0.5)) | ((tone > 0.85) & (v > 0.55))
    pane = np.where(
        curtain[:, None],
        np.float32(0.55) * np.array([1, 0.96, 0.9]),
        inside[:, None] * np.array([0.9, 1, 1.1]),
    )
    white = np.array([0.85, 0.84, 0.81])
    color = pane * (1 - frame)[:, None] + white * frame[:, None]
    return color.astype(np.float32), (1 - frame).astype(np.float32)
