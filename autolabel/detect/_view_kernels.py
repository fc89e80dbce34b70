"""Compiled panoramas; freespace.py stands in front of them."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def pixel_of(x, y, z, per_rad, lowest):
    """Column and row of a direction in a panorama, and its distance seen from above."""
    away = np.sqrt(x * x + y * y)
    column = int((np.arctan2(y, x) + np.pi) * per_rad[0])
    return column, int((np.arctan2(z, away) - lowest) * per_rad[1]), away


@njit(cache=True, nogil=True, error_model="numpy")
def direction_of(place, rotation, origin, per_rad, lowest):
    """Column, row and distance of a place seen from the LiDAR, upright with the car."""
    dx, dy, dz = place[0] - origin[0], place[1] - origin[1], place[2] - origin[2]
    x = dx * rotation[0, 0] + dy * rotation[0, 1] + dz * rotation[0, 2]
    y = dx * rotation[1, 0] + dy * rotation[1, 1] + dz * rotation[1, 2]
    z = dx * rotation[2, 0] + dy * rotation[2, 1] + dz * rotation[2, 2]
    return pixel_of(x, y, z, per_rad, lowest)


@njit(cache=True, nogil=True, error_model="numpy")
def draw_panorama(points, above, least, rotation, origin, per_rad, lowest, nearest):
    """The distance of the nearest point in each direction, infinite where there is none."""
    rows, columns = nearest.shape
    nearest[:] = np.inf
    for i in range(points.shape[0]):
        if above[i] < least:
            continue
        column, row, away = direction_of(points[i], rotation, origin, per_rad, lowest)
        if 0 <= row < rows:
            column = min(column, columns - 1)
            nearest[row, column] = min(nearest[row, column], away)


@njit(cache=True, nogil=True, error_model="numpy")
def count_free(places, rotation, origin, per_rad, lowest, nearest, looked, farthest, slack, free, met):
    """Counts for each place whether beams go on beyond it on all sides, or end at it."""
    rows, columns = nearest.shape
    for i in range(places.shape[0]):
        column, row, away = direction_of(places[i], rotation, origin, per_rad, lowest)
        if away > farthest or not 1 <= row < rows - 1 or not looked[row]:
            continue
        reach = np.inf
        for r in range(row - 1, row + 2):
            for c in range(column - 1, column + 2):
                reach = min(reach, nearest[r, c % columns])
        if reach > away + slack:
            free[i] += 1
        elif reach > away - slack:
            met[i] += 1
