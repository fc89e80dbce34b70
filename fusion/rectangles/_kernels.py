"""What hides what in an image; numpy twins are in tests/fusion/test_rectangle_kernels.py."""

import numpy as np
from numba import njit

from calib._kernels import count_in_gate
from calib.cameras._kernels import BLOCK, see


@njit(cache=True, nogil=True, error_model="numpy")
def place(unit, rotations, centers, sizes, placed):
    """Places (S, 3) of a cube with sides of 1 in each of N boxes, into (N, S, 3)."""
    for box in range(len(placed)):
        for s in range(len(unit)):
            x, y, z = unit[s, 0] * sizes[box, 0], unit[s, 1] * sizes[box, 1], unit[s, 2] * sizes[box, 2]
            for i in range(3):
                turned = rotations[box, i, 0] * x + rotations[box, i, 1] * y + rotations[box, i, 2] * z
                placed[box, s, i] = turned + centers[box, i]


@njit(cache=True, nogil=True, error_model="numpy")
def hide_behind_boxes(samples, rotations, centers, sizes, solid, ltrb_px, hidden):
    """Marks the last samples of each box whose line of sight from the origin passes another box (slabs).

    Of the samples (N, P, 3) the last S are those that are marked (N, S). A box is as high as the share of it
    that is solid, and hides nothing that its rectangle does not touch.
    """
    count, skipped = len(samples), samples.shape[1] - hidden.shape[1]
    start, way, half = np.empty(3), np.empty(3), np.empty(3)
    for near in range(count):
        if np.isnan(ltrb_px[near, 0]):
            continue
        for i in range(3):
            half[i] = sizes[near, i] / 2
            start[i] = 0.0
            for j in range(3):
                start[i] -= rotations[near, j, i] * centers[near, j]
        start[2] += half[2] * (1 - solid[near])
        half[2] *= solid[near]
        for far in range(count):
            meet = ltrb_px[near, 0] < ltrb_px[far, 2] and ltrb_px[far, 0] < ltrb_px[near, 2]
            meet &= ltrb_px[near, 1] < ltrb_px[far, 3] and ltrb_px[far, 1] < ltrb_px[near, 3]
            if near == far or not meet:
                continue
            for s in range(hidden.shape[1]):
                if hidden[far, s]:
                    continue
                enter, leave = 0.0, 1.0
                for i in range(3):
                    way[i] = 0.0
                    for j in range(3):
                        way[i] += rotations[near, j, i] * samples[far, skipped + s, j]
                    if way[i] == 0.0:
                        if abs(start[i]) > half[i]:
                            leave = -1.0
                        continue
                    a, b = (-half[i] - start[i]) / way[i], (half[i] - start[i]) / way[i]
                    enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
                hidden[far, s] = 0.0 < enter <= leave < 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def cell_of(u, v, per_px):
    """Row and column of the cell of the image that a pixel lies in."""
    return int((v + 0.5) * per_px), int((u + 0.5) * per_px)


@njit(cache=True, nogil=True, error_model="numpy")
def hide_behind_points(
    cloud, owners, camera, per_px, cells, uv_px, depths_m, inside, behind_m, numbers, hidden
):
    """Marks samples of each box whose cell of the image holds a point of another, nearer than the box.

    Args:
        cloud: x, y and z, (M,) each.
        owners: (M,) number of whose each point is.
        camera: gate, rotation and translation from the frame of the points, row of its model.
        per_px: cells a pixel.
        cells: rows and columns of them.
        uv_px: (N, P, 2) pixels of samples, of which the last S count.
        depths_m: (N, P) of these.
        inside: (N, S) which of them lie in the image.
        behind_m: how much nearer than the nearest sample of a box a point must be.
        numbers: (N,) of the boxes among the owners.
        hidden: (N, S) in which samples are marked.
    """
    (x, y, z), (gate, rotation, translation, model) = cloud, camera
    skipped = uv_px.shape[1] - inside.shape[1]
    limits_m = np.full(len(inside), np.inf)
    # Up to where a point of each cell matters, the nearest that does, whose it is, the nearest of others.
    reach_m, nearest_m, others_m = np.full(cells, -np.inf), np.full(cells, np.inf), np.full(cells, np.inf)
    nearest_of = np.full(cells, -1, np.int32)
    for box in range(len(inside)):
        for s in range(inside.shape[1]):
            if inside[box, s]:
                limits_m[box] = min(limits_m[box], depths_m[box, skipped + s] - behind_m)
        for s in range(inside.shape[1]):
            if inside[box, s]:
                row, column = cell_of(uv_px[box, skipped + s, 0], uv_px[box, skipped + s, 1], per_px)
                reach_m[row, column] = max(reach_m[row, column], limits_m[box])
    size, u, v = np.empty(BLOCK, x.dtype), np.empty(BLOCK), np.empty(BLOCK)
    depth_m, seen = np.empty(BLOCK), np.empty(BLOCK)
    for first in range(0, len(x), BLOCK):
        px, py, pz = x[first : first + BLOCK], y[first : first + BLOCK], z[first : first + BLOCK]
        for k in range(len(px)):
            size[k] = abs(px[k]) + abs(py[k]) + abs(pz[k])
        if count_in_gate(px, py, pz, size, gate, len(px)) == 0:
            continue
        see(px, py, pz, len(px), rotation, translation, model, u, v, depth_m, seen)
        for k in range(len(px)):
            if seen[k] == 0:
                continue
            (row, column), away_m = cell_of(u[k], v[k], per_px), depth_m[k]
            if away_m >= reach_m[row, column]:
                continue
            owner = owners[first + k]
            if away_m < nearest_m[row, column]:
                if nearest_of[row, column] != owner:
                    others_m[row, column] = nearest_m[row, column]
                    nearest_of[row, column] = owner
                nearest_m[row, column] = away_m
            elif away_m < others_m[row, column] and nearest_of[row, column] != owner:
                others_m[row, column] = away_m
    for box in range(len(inside)):
        for s in range(inside.shape[1]):
            if inside[box, s]:
                row, column = cell_of(uv_px[box, skipped + s, 0], uv_px[box, skipped + s, 1], per_px)
                mine = nearest_of[row, column] == numbers[box]
                nearer_m = others_m[row, column] if mine else nearest_m[row, column]
                hidden[box, s] |= nearer_m < limits_m[box]


@njit(cache=True, nogil=True, error_model="numpy")
def bound_edges(uv_px, seen, edge_samples, width_px, height_px, ltrb_px):
    """Bounds (N, 4) of the edges of boxes as far as they are seen, NaN where they have no area.

    Of the samples (N, P, 2) the first lie along the twelve edges. A sample next to one that is seen counts
    too, and one beyond the border as one on it; a wild one, from behind the camera, does not count at all.
    """
    farthest_px = 4 * max(width_px, height_px)
    for box in range(len(uv_px)):
        left = top = np.inf
        right = bottom = -np.inf
        for edge in range(12):
            begin, last = edge * edge_samples, (edge + 1) * edge_samples - 1
            for s in range(begin, last + 1):
                if not (seen[box, max(s - 1, begin)] or seen[box, s] or seen[box, min(s + 1, last)]):
                    continue
                u, v = uv_px[box, s, 0], uv_px[box, s, 1]
                if not (abs(u) < farthest_px and abs(v) < farthest_px):
                    continue
                u, v = min(max(u, 0.0), width_px - 1.0), min(max(v, 0.0), height_px - 1.0)
                left, right, top, bottom = min(left, u), max(right, u), min(top, v), max(bottom, v)
        ltrb_px[box] = np.nan
        if left < right and top < bottom:
            ltrb_px[box, 0], ltrb_px[box, 1], ltrb_px[box, 2], ltrb_px[box, 3] = left, top, right, bottom
