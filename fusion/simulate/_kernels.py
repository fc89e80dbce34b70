"""Compiled loops of ray casting; rays are rows of origin and direction."""

import math

from numba import njit

BUNDLE = 64  # rays that are bounded together


@njit(cache=True, nogil=True)
def camera_rays(directions, lines, rotations, translations, rays):
    """Rays of the world from directions in a camera's frame, each from the pose of its line of the image."""
    for i in range(directions.shape[0]):
        n = lines[i]
        for k in range(3):
            rays[i, k] = translations[n, k]
            rays[i, 3 + k] = (
                rotations[n, k, 0] * directions[i, 0]
                + rotations[n, k, 1] * directions[i, 1]
                + rotations[n, k, 2] * directions[i, 2]
            )


@njit(cache=True, nogil=True)
def rays_into(rays, rows, rotation, translation, out):
    """Some of the rays in another frame."""
    for n in range(rows.shape[0]):
        i = rows[n]
        for k in range(3):
            a, b, c = rotation[k, 0], rotation[k, 1], rotation[k, 2]
            out[n, k] = a * rays[i, 0] + b * rays[i, 1] + c * rays[i, 2] + translation[k]
            out[n, 3 + k] = a * rays[i, 3] + b * rays[i, 4] + c * rays[i, 5]


@njit(cache=True, nogil=True)
def bundles(rays, out):
    """Bounds of consecutive rays: mean origin, reach about it, mean direction, cosine of the spread."""
    for b in range(out.shape[0]):
        first, last = b * BUNDLE, min((b + 1) * BUNDLE, rays.shape[0])
        out[b] = 0.0
        for i in range(first, last):
            for k in range(3):
                out[b, k] += rays[i, k] / (last - first)
                out[b, 4 + k] += rays[i, 3 + k]
        length = math.sqrt(out[b, 4] ** 2 + out[b, 5] ** 2 + out[b, 6] ** 2)
        for k in range(3):
            out[b, 4 + k] /= max(length, 1e-12)
        reach2, cosine = 0.0, 1.0
        for i in range(first, last):
            away2, along = 0.0, 0.0
            for k in range(3):
                away2 += (rays[i, k] - out[b, k]) ** 2
                along += rays[i, 3 + k] * out[b, 4 + k]
            reach2, cosine = max(reach2, away2), min(cosine, along)
        out[b, 3], out[b, 7] = math.sqrt(reach2) + 1e-6, cosine - 1e-9


@njit(cache=True, nogil=True)
def _may_come_near(bundle, center, radius):
    x, y, z = center[0] - bundle[0], center[1] - bundle[1], center[2] - bundle[2]
    away = math.sqrt(x * x + y * y + z * z)
    reach = radius + bundle[3]
    if away <= reach or bundle[7] <= 0:
        return True
    sine = reach / away
    limit = bundle[7] * math.sqrt(1 - sine * sine) - math.sqrt(max(1 - bundle[7] * bundle[7], 0.0)) * sine
    return x * bundle[4] + y * bundle[5] + z * bundle[6] >= limit * away


@njit(cache=True, nogil=True)
def rays_near(rays, bounds, ends_m, center, radius, out):
    """Indices of the rays that come within `radius` of `center` before they end; returns how many."""
    n = 0
    r2 = radius * radius
    for b in range(bounds.shape[0]):
        if not _may_come_near(bounds[b], center, radius):
            continue
        for i in range(b * BUNDLE, min((b + 1) * BUNDLE, rays.shape[0])):
            x, y, z = center[0] - rays[i, 0], center[1] - rays[i, 1], center[2] - rays[i, 2]
            along = x * rays[i, 3] + y * rays[i, 4] + z * rays[i, 5]
            d2 = x * x + y * y + z * z
            if along - radius < ends_m[i] and (d2 < r2 or (along > 0 and d2 - along * along < r2)):
                out[n] = i
                n += 1
    return n


@njit(cache=True, nogil=True)
def onto_planes(rays, vertices, triangles, triangle, range_m):
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
        slope = nx * rays[i, 3] + ny * rays[i, 4] + nz * rays[i, 5]
        if slope * slope < 1e-8 * (nx * nx + ny * ny + nz * nz):
            continue
        exact = (nx * (x - rays[i, 0]) + ny * (y - rays[i, 1]) + nz * (z - rays[i, 2])) / slope
        if abs(exact - range_m[i]) < 0.02:
            range_m[i] = exact


@njit(cache=True, nogil=True)
def owners(range_m, triangle, owner, actor, solid):
    """Which actor each ray meets on the solid 0."""
    for i in range(range_m.shape[0]):
        met = range_m[i] < math.inf
        actor[i] = owner[triangle[i]] if met else -1
        solid[i] = 0 if met else -1


@njit(cache=True, nogil=True)
def keep_nearer(
    rows, new_range_m, new_triangle, new_weights, index, number, range_m, triangle, weights, actor, solid
):
    """Takes over the hits on an actor that lie before what was hit so far."""
    for n in range(rows.shape[0]):
        i = rows[n]
        if new_range_m[n] < range_m[i]:
            range_m[i], triangle[i], actor[i], solid[i] = new_range_m[n], new_triangle[n], index, number
            weights[i, 0], weights[i, 1] = new_weights[n, 0], new_weights[n, 1]


@njit(cache=True, nogil=True)
def surfaces(
    number,
    solid,
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
    """Looks up and interpolates what one solid's mesh looks like at the hits on it."""
    for row in range(solid.shape[0]):
        if solid[row] != number:
            continue
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
def first_rows(actor, out):
    """The first ray that meets each actor; stays as it is where none does."""
    for i in range(actor.shape[0] - 1, -1, -1):
        if actor[i] >= 0:
            out[actor[i]] = i


@njit(cache=True, nogil=True)
def turn(actor, rotations, vectors):
    """Turns the vectors of the rays that meet an actor."""
    for i in range(actor.shape[0]):
        n = actor[i]
        if n < 0:
            continue
        x, y, z = vectors[i, 0], vectors[i, 1], vectors[i, 2]
        for k in range(3):
            vectors[i, k] = rotations[n, k, 0] * x + rotations[n, k, 1] * y + rotations[n, k, 2] * z
