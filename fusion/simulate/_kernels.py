"""Compiled loops of ray casting."""

import math

from numba import njit


@njit(cache=True, nogil=True)
def rays_near(origins, directions, center, radius, out):
    """Indices of the rays that come within `radius` of `center`; returns how many."""
    n = 0
    r2 = radius * radius
    for i in range(origins.shape[0]):
        x = center[0] - origins[i, 0]
        y = center[1] - origins[i, 1]
        z = center[2] - origins[i, 2]
        along = x * directions[i, 0] + y * directions[i, 1] + z * directions[i, 2]
        d2 = x * x + y * y + z * z
        if d2 < r2 or (along > 0 and d2 - along * along < r2):
            out[n] = i
            n += 1
    return n


@njit(cache=True, nogil=True)
def surfaces(
    rows,
    triangle,
    weights,
    triangles,
    mesh_uv,
    mesh_normals,
    mesh_material,
    mesh_color,
    material,
    color,
    uv,
    normals,
):
    """Looks up and interpolates what a mesh looks like at hits on it."""
    for k in range(rows.shape[0]):
        row = rows[k]
        t = triangle[row]
        b, c = weights[row, 0], weights[row, 1]
        a = 1 - b - c
        material[row] = mesh_material[t]
        i, j, m = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        for n in range(2):
            uv[row, n] = a * mesh_uv[i, n] + b * mesh_uv[j, n] + c * mesh_uv[m, n]
        for n in range(3):
            color[row, n] = mesh_color[t, n]
            normals[row, n] = (
                a * mesh_normals[t, 0, n] + b * mesh_normals[t, 1, n] + c * mesh_normals[t, 2, n]
            )


@njit(cache=True, nogil=True)
def openness(places, rows, centers, axes, halves, depths, out):
    """Share of the sky that reaches places on the ground beside upright boxes that stand on it."""
    for k in range(rows.shape[0]):
        x, y = places[rows[k], 0], places[rows[k], 1]
        share = 1.0
        for n in range(centers.shape[0]):
            dx, dy = x - centers[n, 0], y - centers[n, 1]
            reach = halves[n, 0] + 1.5
            if abs(dx) > reach or abs(dy) > reach:
                continue
            along = max(abs(dx * axes[n, 0] + dy * axes[n, 1]) - halves[n, 0], 0.0)
            across = max(abs(dy * axes[n, 0] - dx * axes[n, 1]) - halves[n, 1], 0.0)
            d2 = along * along + across * across
            if d2 < 2.0:
                share *= 1 - depths[n] * math.exp(-d2 / 0.16 - 0.5 * math.sqrt(d2))
        out[rows[k]] = share


@njit(cache=True, nogil=True)
def onto_planes(origins, directions, vertices, triangles, triangle, range_m):
    """Puts the ends of rays exactly onto the planes of the triangles they hit."""
    for i in range(range_m.shape[0]):
        if not range_m[i] < math.inf:
            continue
        t = triangle[i]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x, y, z = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - x, vertices[b, 1] - y, vertices[b, 2] - z
        vx, vy, vz = vertices[c, 0] - x, vertices[c, 1] - y, vertices[c, 2] - z
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        slope = nx * directions[i, 0] + ny * directions[i, 1] + nz * directions[i, 2]
        if slope * slope < 1e-8 * (nx * nx + ny * ny + nz * nz):
            continue
        exact = (nx * (x - origins[i, 0]) + ny * (y - origins[i, 1]) + nz * (z - origins[i, 2])) / slope
        if abs(exact - range_m[i]) < 0.02:
            range_m[i] = exact
