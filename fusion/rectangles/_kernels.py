"""What hides what in an image; numpy twins stand in tests/reference.py."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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
        depth_m, owner = points_m[p], owners[p]
        if depth_m < nearest_m[row, column, 0]:
            if nearest_of[row, column] != owner:
                nearest_m[row, column, 1] = nearest_m[row, column, 0]
                nearest_of[row, column] = owner
            nearest_m[row, column, 0] = depth_m
        elif depth_m < nearest_m[row, column, 1] and nearest_of[row, column] != owner:
            nearest_m[row, column, 1] = depth_m
    for box in range(len(inside)):
        for s in range(inside.shape[1]):
            if inside[box, s]:
                row, column = int((uv_px[box, s, 1] + 0.5) / cell_px), int((uv_px[box, s, 0] + 0.5) / cell_px)
                mine = 1 if nearest_of[row, column] == box else 0
                hidden[box, s] |= nearest_m[row, column, mine] < limits_m[box]


@njit(cache=True, nogil=True, error_model="numpy")
def bound_edges(uv_px, seen, width_px, height_px, ltrb_px):
    """Bounds (N, 4) of the edges (N, E, S, 2) of boxes as far as they are seen, NaN where they have no area.

    A sample next to one that is seen counts too, and one beyond the border as one on it; a wild one, from
    behind the camera, does not count at all.
    """
    edges, samples = uv_px.shape[1], uv_px.shape[2]
    farthest_px = 4 * max(width_px, height_px)
    for box in range(len(uv_px)):
        left = top = np.inf
        right = bottom = -np.inf
        for e in range(edges):
            for s in range(samples):
                before, after = max(s - 1, 0), min(s + 1, samples - 1)
                if not (seen[box, e, before] or seen[box, e, s] or seen[box, e, after]):
                    continue
                u, v = uv_px[box, e, s, 0], uv_px[box, e, s, 1]
                if not (abs(u) < farthest_px and abs(v) < farthest_px):
                    continue
                u, v = min(max(u, 0.0), width_px - 1.0), min(max(v, 0.0), height_px - 1.0)
                left, right, top, bottom = min(left, u), max(right, u), min(top, v), max(bottom, v)
        ltrb_px[box] = np.nan
        if left < right and top < bottom:
            ltrb_px[box, 0], ltrb_px[box, 1], ltrb_px[box, 2], ltrb_px[box, 3] = left, top, right, bottom
