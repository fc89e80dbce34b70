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
FULL, HALF = np.float32(65536), np.float32(32768)
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def aim(u, v, count, pitch, right, bottom, first, a, b, both):
    """The first byte of the upper left of the four pixels about each place, and the shares of those to the
    right and below: whole numbers of 1/65536, as floats.

    Beyond the outermost centres that is the border, and so is what is no number.
    """
    last_column, last_row = np.int32(right) - np.int32(1), np.int32(bottom) - np.int32(1)
    for k in range(count):
        p, q = u[k] if u[k] > 0 else 0.0, v[k] if v[k] > 0 else 0.0
        p, q = p if p < right else right, q if q < bottom else bottom
        x, y = np.int32(p), np.int32(q)
        x, y = x if x < last_column else last_column, y if y < last_row else last_row
        first[k] = np.int32(y * pitch + x * 3)
        p, q = float(np.int32((p - x) * 65536.0)), float(np.int32((q - y) * 65536.0))
        a[k], b[k], both[k] = p, q, float(np.int32((p * q + 32768.0) * (1 / 65536)))


@njit(cache=True, nogil=True, error_model="numpy")
def fetch(words, pitch, first, count, pixels):
    """The four pixels about each place, two a row: a word from the first on, and one that ends the second."""
    upper, upper_end, lower, lower_end = pixels
    two = np.uint64(2)
    for k in range(np.uint64(count)):
        n = np.uint64(first[k])
        m = n + pitch
        upper[k], upper_end[k], lower[k], lower_end[k] = words[n], words[n + two], words[m], words[m + two]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def mixed(p, q, r, s, shift, here, right, below, both):
    """One channel between four pixels, times 65536 and a half more; exact, for it is less than 2 ** 24."""
    upper = here * np.float32(np.int32((p >> shift) & 255)) + right * np.float32(
        np.int32((q >> shift + 8) & 255)
    )
    lower = below * np.float32(np.int32((r >> shift) & 255)) + both * np.float32(
        np.int32((s >> shift + 8) & 255)
    )
    return np.int32(upper + lower + HALF)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def blend(pixels, a, b, both, count, colours):
    """The colours between four pixels each, a byte a channel."""
    upper, upper_end, lower, lower_end = pixels
    for k in range(count):
        p, q, r, s, c = upper[k], upper_end[k], lower[k], lower_end[k], both[k]
        right, below = a[k] - c, b[k] - c
        here = FULL - right - b[k]
        red = mixed(p, q, r, s, 0, here, right, below, c)
        green = mixed(p, q, r, s, 8, here, right, below, c)
        blue = mixed(p, q, r, s, 16, here, right, below, c)
        colours[k] = (red >> 16) | (green >> 16 << 8) | (blue >> 16 << 16)


@njit(cache=True, nogil=True, error_model="numpy")
def room():
    """What colouring a block needs: places, shares and pixels."""
    shares = (np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32))
    upper, upper_end = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    lower, lower_end = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    return np.empty(BLOCK, np.int32), shares, (upper, upper_end, lower, lower_end)


@njit(cache=True, nogil=True, error_model="numpy")
def sample_block(words, pitch, right, bottom, u, v, count, space, colours):
    """Colours of a block of places, a byte a channel."""
    first, (a, b, both), pixels = space
    aim(u, v, count, pitch, right, bottom, first, a, b, both)
    fetch(words, np.uint64(pitch), first, count, pixels)
    blend(pixels, a, b, both, count, colours)


@njit(cache=True, nogil=True, error_model="numpy")
def put(colours, index, count, out):
    """Colours with a byte a channel to their places."""
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    for k in range(np.uint64(count)):
        i, colour = np.uint64(index[k]), colours[k]
        out[i, zero], out[i, one], out[i, two] = colour, colour >> 8, colour >> 16


@njit(cache=True, nogil=True, error_model="numpy")
def sample(words, pitch, right, bottom, uv, out):
    """Colours of an image at pixels."""
    u, v = np.empty(BLOCK), np.empty(BLOCK)
    index, colours, space = np.arange(BLOCK), np.empty(BLOCK, np.int32), room()
    for start in range(0, uv.shape[0], BLOCK):
        count = min(BLOCK, uv.shape[0] - start)
        for k in range(count):
            u[k], v[k] = uv[start + k, 0], uv[start + k, 1]
        sample_block(words, pitch, right, bottom, u, v, count, space, colours)
        put(colours, index, count, out[start : start + count])


@njit(cache=True, nogil=True, error_model="numpy")
def rate(uv, per_width, per_height, weight, worth):
    """How well a camera sees: from `weight` in the middle of the image to nothing at its border."""
    for k in range(uv.shape[0]):
        aside, above = (uv[k, 0] + 0.5) * per_width - 1, (uv[k, 1] + 0.5) * per_height - 1
        worth[k] = weight * (1 - aside * aside) * (1 - above * above)


@njit(cache=True, nogil=True, error_model="numpy")
def choose(index, uv, worth, number, best, camera, u, v, chosen):
    """Moves the points to the front that this camera sees better than all before it did, and says so."""
    count, zero, one = np.uint64(0), np.uint64(0), np.uint64(1)
    for k in range(np.uint64(index.shape[0])):
        i = np.uint64(index[k])
        u[count], v[count], chosen[count] = uv[k, zero], uv[k, one], index[k]
        if worth[k] > best[i]:
            best[i], camera[i] = worth[k], number
            count += one
    return np.int64(count)


@njit(cache=True, nogil=True, error_model="numpy")
def take_colours(
    words, pitch, right, bottom, per_width, per_height, index, uv, weight, number, best, out, camera
):
    """Colours the points that this camera sees better than all before it did."""
    u, v, worth = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.float32)
    chosen, colours, space = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32), room()
    for start in range(0, index.shape[0], BLOCK):
        part = slice(start, min(start + BLOCK, index.shape[0]))
        rate(uv[part], per_width, per_height, weight, worth)
        count = choose(index[part], uv[part], worth, number, best, camera, u, v, chosen)
        sample_block(words, pitch, right, bottom, u, v, count, space, colours)
        put(colours, chosen, count, out)
