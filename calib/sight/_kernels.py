"""Compiled loops of occlusion and colour; calib/sight/occlusion.py and colour.py stand in front of them.

Points go through in blocks, and every inner loop does one thing without branches, so that the compiler
turns it into vector instructions. Choices are written as `a if a > b else b`: that is one instruction,
`max` is not.
"""

import math

import numpy as np
from numba import njit

BLOCK = 512
PAD = 4
HALF_PI, PI = np.float32(math.pi / 2), np.float32(math.pi)
ONE, ZERO, TINY = np.float32(1), np.float32(0), np.float32(1e-20)
# atan on [0, 1] to 0.0006 rad (Abramowitz and Stegun 4.4.48, cut short): only steady growth matters here.
ATAN_1, ATAN_3, ATAN_5 = np.float32(0.9953545), np.float32(-0.2886790), np.float32(0.0793393)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def directions(x, y, z, count, cosine, sine, azimuth, elevation, range_m):
    """Where a block of points is seen from the origin; azimuths count from the heading of the camera."""
    for k in range(count):
        ahead, left = cosine * x[k] + sine * y[k], cosine * y[k] - sine * x[k]
        forth, aside = abs(ahead), abs(left)
        share = (aside if aside < forth else forth) / ((forth if aside < forth else aside) + TINY)
        square = share * share
        turn = share * (ATAN_1 + square * (ATAN_3 + square * ATAN_5))
        turn = HALF_PI - turn if aside > forth else turn
        turn = PI - turn if ahead < ZERO else turn
        azimuth[k] = -turn if left < ZERO else turn
    for k in range(count):
        level2 = x[k] * x[k] + y[k] * y[k]
        level, high = math.sqrt(level2), abs(z[k])
        share = (high if high < level else level) / ((level if high < level else high) + TINY)
        square = share * share
        turn = share * (ATAN_1 + square * (ATAN_3 + square * ATAN_5))
        turn = HALF_PI - turn if high > level else turn
        elevation[k] = -turn if z[k] < ZERO else turn
        range_m[k] = math.sqrt(level2 + z[k] * z[k])


@njit(cache=True, nogil=True, error_model="numpy")
def look(points, index, place, cosine, sine, rings, columns_per_rad, column, row, growth, range_m):
    """Column and row, in beams, at which each point is seen, how fast its tolerance grows, and its range.

    `rings` has for each small step of elevation the ring there, the rings to the next step, and the growth.
    """
    x, y, z = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    azimuth, elevation = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    last = rings.shape[0] - 1
    steps_per_rad = np.float32(rings.shape[0] / math.pi)
    for start in range(0, index.shape[0], BLOCK):
        count = min(BLOCK, index.shape[0] - start)
        for k in range(count):
            i = np.uint64(index[start + k])
            x[k], y[k], z[k] = points[i, 0] - place[0], points[i, 1] - place[1], points[i, 2] - place[2]
        directions(x, y, z, count, cosine, sine, azimuth, elevation, range_m[start : start + count])
        across, up, grows = (
            column[start : start + count],
            row[start : start + count],
            growth[start : start + count],
        )
        for k in range(count):
            across[k] = azimuth[k] * columns_per_rad
        for k in range(count):
            step = (elevation[k] + HALF_PI) * steps_per_rad
            n = min(np.int32(step), last)
            m = np.uint64(n)
            up[k] = rings[m, 0] + (step - np.float32(n)) * rings[m, 1]
            grows[k] = rings[m, 2]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nnan", "nsz"})
def bounds(values):
    """Least and greatest."""
    low = high = values[0]
    for k in range(values.shape[0]):
        value = values[k]
        low, high = value if value < low else low, value if value > high else high
    return low, high


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def draw(column, row, range_m, left, low, per_beam, grid, cell):
    """Keeps the nearness (1 / range) of the nearest point of each cell, and the cell of each point."""
    width = np.int32(grid.shape[1])
    flat = grid.reshape(-1)
    for k in range(cell.shape[0]):
        across, up = np.int32((column[k] - left) * per_beam), np.int32((row[k] - low) * per_beam)
        cell[k] = (up + PAD) * width + across + PAD
    for k in range(cell.shape[0]):
        n, near = np.uint64(cell[k]), ONE / range_m[k]
        flat[n] = near if near > flat[n] else flat[n]


@njit(cache=True, nogil=True, error_model="numpy")
def largest(p, q, r, s, t, out):
    """The largest of five lines at each place."""
    for x in range(out.shape[0]):
        a, b, c, d, e = p[x], q[x], r[x], s[x], t[x]
        a, d = a if a > b else b, d if d > e else e
        a = a if a > d else d
        out[x] = a if a > c else c


@njit(cache=True, nogil=True, error_model="numpy")
def smallest(p, q, r, out):
    """The smallest of three lines at each place."""
    for x in range(out.shape[0]):
        a, b, c = p[x], q[x], r[x]
        a = a if a < b else b
        out[x] = a if a < c else c


@njit(cache=True, nogil=True, error_model="numpy")
def close(grid, wide):
    """Closes the gaps between the beams: widens what is near by two cells, then narrows it by one.

    A plane stays as it is, however slanted, but for the one cell by which it grows. `wide` has the size of
    the grid and holds the answer.
    """
    height, width = grid.shape
    line = np.zeros(width, np.float32)
    for y in range(height):
        g = grid[y]
        largest(g[:-4], g[1:-3], g[2:-2], g[3:-1], g[4:], wide[y, 2:-2])
    for y in range(2, height - 2):
        largest(wide[y - 2], wide[y - 1], wide[y], wide[y + 1], wide[y + 2], line)
        smallest(line[:-2], line[1:-1], line[2:], grid[y, 1:-1])
    for y in range(3, height - 3):
        smallest(grid[y - 1], grid[y], grid[y + 1], wide[y])


@njit(cache=True, nogil=True, error_model="numpy")
def judge(grid, cell, growth, range_m, absolute_m, relative, visible):
    """Whether each point is no further away than what is seen at its place, give or take the tolerance."""
    flat = grid.reshape(-1)
    for k in range(cell.shape[0]):
        near_m = ONE / flat[np.uint64(cell[k])]
        visible[k] = range_m[k] <= absolute_m + near_m * (relative + growth[k] * near_m)


@njit(cache=True, nogil=True, error_model="numpy")
def visible_points(
    points, index, place, cosine, sine, rings, columns_per_rad, per_beam, absolute_m, relative, visible
):
    """All of it: where each point is seen, what covers that place, and whether the point lies behind it."""
    count = index.shape[0]
    column, row = np.empty(count, np.float32), np.empty(count, np.float32)
    growth, range_m = np.empty(count, np.float32), np.empty(count, np.float32)
    look(points, index, place, cosine, sine, rings, columns_per_rad, column, row, growth, range_m)
    left, right = bounds(column)
    low, high = bounds(row)
    # A few points that lie far apart would need a grid that is mostly empty: its cells grow instead.
    wanted = (right - left + 1) * (high - low + 1) * per_beam * per_beam
    per_beam = np.float32(per_beam * min(1.0, math.sqrt((64.0 * count + 65536.0) / wanted)))
    height, width = int((high - low) * per_beam) + 2 * PAD + 1, int((right - left) * per_beam) + 2 * PAD + 1
    grid, wide = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    cell = np.empty(count, np.int32)
    draw(column, row, range_m, left, low, per_beam, grid, cell)
    close(grid, wide)
    judge(wide, cell, growth, range_m, absolute_m, relative, visible)


@njit(cache=True, nogil=True, error_model="numpy")
def blend(image, u, v, colours, i):
    """Sets the i-th colour to that between four pixels; beyond the outermost centres to the border's.

    The weights are whole numbers of 1/65536 that add up to one.
    """
    right, bottom = image.shape[1] - 1, image.shape[0] - 1
    u, v = u if u > 0 else 0.0, v if v > 0 else 0.0  # which NaN is not either
    u, v = min(u, float(right)), min(v, float(bottom))
    x, y = np.int64(u), np.int64(v)
    a, b = np.int64((u - x) * 65536.0), np.int64((v - y) * 65536.0)
    both = (a * b + 32768) >> 16
    left, top = np.uint64(x), np.uint64(y)
    next_x, next_y = np.uint64(min(x + 1, right)), np.uint64(min(y + 1, bottom))
    for c in range(np.uint64(3)):
        above = image[top, left, c] * (65536 - a - b + both) + image[top, next_x, c] * (a - both)
        below = image[next_y, left, c] * (b - both) + image[next_y, next_x, c] * both
        colours[i, c] = np.uint8((above + below + 32768) >> 16)


@njit(cache=True, nogil=True, error_model="numpy")
def sample(image, uv, colours):
    """Colours of an image at pixels."""
    for k in range(np.uint64(uv.shape[0])):
        blend(image, uv[k, 0], uv[k, 1], colours, k)


@njit(cache=True, nogil=True, error_model="numpy")
def take_colours(image, index, uv, weight, number, best, colours, camera):
    """Colours the points that this camera sees better than all before it did.

    How well falls from `weight` in the middle of the image to nothing at its border.
    """
    per_width, per_height = 2 / image.shape[1], 2 / image.shape[0]
    for k in range(np.uint64(index.shape[0])):
        i, u, v = np.uint64(index[k]), uv[k, 0], uv[k, 1]
        aside, above = (u + 0.5) * per_width - 1, (v + 0.5) * per_height - 1
        worth = np.float32(weight * (1 - aside * aside) * (1 - above * above))
        if worth > best[i]:
            best[i], camera[i] = worth, number
            blend(image, u, v, colours, i)
