"""What hides what in an image; numpy twins stand in tests/reference.py."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def hide_behind_boxes(samples, eye, rotations, centers, halves, ltrb_px, hidden):
    """Marks the samples (N, S, 3) of each box whose line of sight from the eye passes another box (slabs)."""
    count = len(samples)
    start, way = np.empty(3), np.empty(3)
    for near in range(count):
        for i in range(3):
            start[i] = 0.0
            for j in range(3):
                start[i] += rotations[near, j, i] * (eye[j] - centers[near, j])
        for far in range(count):
            apart = ltrb_px[near, 0] >= ltrb_px[far, 2] or ltrb_px[far, 0] >= ltrb_px[near, 2]
            apart |= ltrb_px[near, 1] >= ltrb_px[far, 3] or ltrb_px[far, 1] >= ltrb_px[near, 3]
            if near == far or apart:
                continue
            for s in range(samples.shape[1]):
                if hidden[far, s]:
                    continue
                enter, leave = 0.0, 1.0
                for i in range(3):
                    way[i] = 0.0
                    for j in range(3):
                        way[i] += rotations[near, j, i] * (samples[far, s, j] - eye[j])
                    if way[i] == 0.0:
                        if abs(start[i]) > halves[near, i]:
                            leave = -1.0
                        continue
                    a, b = (-halves[near, i] - start[i]) / way[i], (halves[near, i] - start[i]) / way[i]
                    enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
                hidden[far, s] = 0.0 < enter <= leave < 1.0


@njit(cache=True, nogil=True)
def hide_behind_points(
    points_px, points_m, owners, cell_px, nearest_m, nearest_of, uv_px, inside, limits_m, hidden
):
    """Marks the samples (N, S) whose cell of the image holds a point of another, nearer than a limit.

    `nearest_m` (R, C, 2) and `nearest_of` (R, C) are room for the nearest point of each cell, the box that it
    lies on, and the nearest point of any other.
    """
    nearest_m[:] = np.inf
    nearest_of[:] = -2
    for p in range(len(points_px)):
        row, column = int((points_px[p, 1] + 0.5) / cell_px), int((points_px[p, 0] + 0.5) / cell_px)
        cell, depth_m = nearest_m[row, column], points_m[p]
        if depth_m < cell[0]:
            if nearest_of[row, column] != owners[p]:
                cell[1] = cell[0]
                nearest_of[row, column] = owners[p]
            cell[0] = depth_m
        elif depth_m < cell[1] and nearest_of[row, column] != owners[p]:
            cell[1] = depth_m
    for box in range(len(inside)):
        for s in range(inside.shape[1]):
            if inside[box, s]:
                row, column = int((uv_px[box, s, 1] + 0.5) / cell_px), int((uv_px[box, s, 0] + 0.5) / cell_px)
                mine = 1 if nearest_of[row, column] == box else 0
                hidden[box, s] |= nearest_m[row, column, mine] < limits_m[box]
