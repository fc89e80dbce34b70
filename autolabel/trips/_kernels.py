"""Compiled loops of comparing a scan with places: drawing it as seen from the LiDAR, and looking there."""

import math

import numpy as np
from numba import njit

UNKNOWN, MET, FREE, HIDDEN = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def _towards(x, y, z, middle, origins):
    """Direction (azimuth, elevation) and range of a place from where the LiDAR was when it looked there."""
    count = origins.shape[0]
    turn = math.atan2(y - middle[1], x - middle[0]) % (2 * math.pi)
    origin = origins[min(int(turn / (2 * math.pi) * count), count - 1)]
    dx, dy, dz = x - origin[0], y - origin[1], z - origin[2]
    flat = math.sqrt(dx * dx + dy * dy)
    return math.atan2(dy, dx) % (2 * math.pi), math.atan2(dz, flat), math.sqrt(flat * flat + dz * dz)


@njit(cache=True, nogil=True)
def draw(points, middle, origins, lowest_rad, per_rad, nearest):
    """The range of the nearest point in each cell of a panorama; inf where there is none."""
    rows, columns = nearest.shape
    nearest[:] = np.inf
    for i in range(points.shape[0]):
        azimuth, elevation, range_m = _towards(points[i, 0], points[i, 1], points[i, 2], middle, origins)
        row = math.floor((elevation - lowest_rad) * per_rad)
        if 0 <= row < rows:
            column = int(azimuth / (2 * math.pi) * columns) % columns
            if range_m < nearest[row, column]:
                nearest[row, column] = range_m


@njit(cache=True, nogil=True)
def judge(places, middle, origins, lowest_rad, per_rad, nearest, margin_m, far_m, verdicts):
    """What a panorama says of places: something is there, beams went on behind it, or something hides it."""
    rows, columns = nearest.shape
    for i in range(places.shape[0]):
        verdicts[i] = UNKNOWN
        azimuth, elevation, range_m = _towards(places[i, 0], places[i, 1], places[i, 2], middle, origins)
        row = math.floor((elevation - lowest_rad) * per_rad)
        if range_m > far_m or not 0 < row < rows - 1:
            continue
        column = int(azimuth / (2 * math.pi) * columns)
        met, before, behind = 0, 0, 0
        for r in range(row - 1, row + 2):
            for c in range(column - 1, column + 2):
                away = nearest[r, c % columns] - range_m
                if away == np.inf:
                    continue
                if away > margin_m:
                    behind += 1
                elif away < -margin_m:
                    before += 1
                else:
                    met += 1
        if met > 0:
            verdicts[i] = MET
        elif before > 0:
            verdicts[i] = HIDDEN
        elif behind > 1:
            verdicts[i] = FREE
