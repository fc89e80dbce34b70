"""Compiled light and colours: what each ray of a camera sees."""

import math

import numpy as np
from numba import njit

from fusion.simulate.materials import Material

SUN_LIGHT = (2.9, 2.6, 2.15)
SKY_LIGHT = (0.52, 0.62, 0.80)
BOUNCE_LIGHT = (0.30, 0.27, 0.23)
ZENITH = (0.16, 0.33, 0.68)
HORIZON = (0.72, 0.80, 0.90)
CLOUD = (0.97, 0.96, 0.95)
HOUSES = (0.20, 0.18, 0.165)
HAZE_M = 520.0
BRIGHTEST = 16.0  # light that any camera shows as white
ASPHALT = (0.29, 0.29, 0.30)
CYCLE_LANE = (0.3875, 0.264, 0.2415)
SLAB = (0.56, 0.54, 0.51)
KERBSTONE = (0.66, 0.65, 0.62)
GRASS = (0.30, 0.38, 0.18)
MARKING = (0.86, 0.86, 0.84)
MORTAR = (0.66, 0.62, 0.57)
FRAME = (0.85, 0.84, 0.81)
CURTAIN = (0.55, 0.528, 0.495)
PANE = (0.9, 1.0, 1.1)
GROUND, BRICK, PLASTER = int(Material.GROUND), int(Material.BRICK), int(Material.PLASTER)
ROOF, WINDOW, FOLIAGE, LAMP = (
    int(Material.ROOF),
    int(Material.WINDOW),
    int(Material.FOLIAGE),
    int(Material.LAMP),
)


@njit(cache=True, nogil=True)
def _share(x):
    return min(max(x, 0.0), 1.0)


@njit(cache=True, nogil=True)
def _past(x, period):
    return x - math.floor(x / period) * period


@njit(cache=True, nogil=True)
def _power(x, exponent):
    return np.float64(np.float32(x) ** np.float32(exponent))


@njit(cache=True, nogil=True)
def _scaled(color, by):
    return color[0] * by, color[1] * by, color[2] * by


@njit(cache=True, nogil=True)
def _mixed(a, b, share):
    rest = 1 - share
    return a[0] * rest + b[0] * share, a[1] * rest + b[1] * share, a[2] * rest + b[2] * share


@njit(cache=True, nogil=True)
def noise(lattice, x, y):
    """A smooth random value in 0..1 with features about one unit wide."""
    i, j = math.floor(x), math.floor(y)
    fx, fy = x - i, y - j
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    i0, j0, i1, j1 = i & 255, j & 255, (i + 1) & 255, (j + 1) & 255
    near = lattice[i0, j0] * (1 - fx) + lattice[i1, j0] * fx
    far = lattice[i0, j1] * (1 - fx) + lattice[i1, j1] * fx
    return near * (1 - fy) + far * fy


@njit(cache=True, nogil=True)
def _cell(lattice, x, y):
    return np.float64(lattice[math.floor(x) & 255, math.floor(y) & 255])


@njit(cache=True, nogil=True)
def _band(value, low, high, soft):
    return _share((value - low) / soft + 0.5) * _share((high - value) / soft + 0.5)


@njit(cache=True, nogil=True)
def _dashes(value, on, period, soft):
    sharp = _share(1.2 - soft / period)
    return sharp * _band(_past(value, period), 0.0, on, soft) + (1 - sharp) * on / period


@njit(cache=True, nogil=True)
def _markings(plan, s, d, footprint_m):
    """How much of a place on the carriageway is white paint; edges are as soft as the pixel is wide."""
    soft = min(max(footprint_m, 0.01), 0.6)
    from_cross, along, across = s - plan.crossing_m, abs(s - plan.crossing_m), abs(d)
    stop, edge = plan.stop_line_m, plan.lane_edge_m
    open_road = _band(along, stop + 0.5, 1e6, soft)
    paint = 0.0
    if open_road > 0:
        paint = _band(d, -0.07, 0.07, soft) * _dashes(s, 3.0, 7.5, soft) * open_road
        paint = max(paint, _band(across, edge - 0.06, edge + 0.06, soft) * open_road)
        bays = _band(across, 5.05, 5.15, soft)
        bays += _band(across, 5.1, plan.kerb_m, soft) * _band(_past(s, 6.0), 2.95, 3.05, soft)
        paint = max(paint, bays * _band(along, stop + 2.5, 1e6, soft) * _dashes(s, 1.0, 1.0, soft))
    own_lane = _band(d, -5.0, -0.05, soft) if from_cross < 0 else _band(d, 0.05, 5.0, soft)
    paint = max(paint, _band(along, stop - 0.25, stop + 0.25, soft) * own_lane)
    zebra = _band(along, plan.zebra_m[0], plan.zebra_m[1], soft) * _band(across, 0.0, plan.kerb_m - 0.3, soft)
    if zebra > 0:
        paint = max(paint, zebra * _dashes(d, 0.5, 1.0, soft))
    side = _band(across, plan.cross_zebra_m[0], plan.cross_zebra_m[1], soft)
    side *= _band(along, -1.0, plan.cross_half_m - 0.3, soft)
    if side > 0:
        paint = max(paint, side * _dashes(s, 0.5, 1.0, soft))
    line = _band(across, plan.cross_zebra_m[1] + 0.8, 1e6, soft) * _band(from_cross, -0.07, 0.07, soft)
    return max(paint, line * _dashes(d, 3.0, 7.5, soft)) if line > 0 else paint


@njit(cache=True, nogil=True)
def _pavement(lattice, plan, s, d, along, across, fine):
    if across > plan.front_m and along > plan.cross_half_m + 3.8:
        blades = 0.75 + 0.2 * noise(lattice, s * 0.4, d * 0.4)
        return _scaled(GRASS, blades + (0.5 * noise(lattice, s * 5, d * 5) * fine if fine > 0 else 0.0))
    if across < plan.kerb_m + 0.22 or along < plan.cross_half_m + 0.22:
        return KERBSTONE
    joint = 0.18 * fine if _past(s, 0.6) < 0.025 or _past(d, 0.6) < 0.025 else 0.0
    return _scaled(SLAB, 0.92 + 0.14 * _cell(lattice, s / 0.6, d / 0.6) * fine - joint)


@njit(cache=True, nogil=True)
def _ground(lattice, plan, s, d, footprint_m):
    """A carriageway with its markings, a pavement or what lies behind it."""
    along, across = abs(s - plan.crossing_m), abs(d)
    fine = _share(1 - footprint_m / 0.08)
    grain = 1 + 0.22 * (noise(lattice, s * 0.35, d * 0.9) - 0.5)
    if fine > 0:
        grain += 0.25 * fine * (noise(lattice, s * 17, d * 17) - 0.5)
    if across > plan.kerb_m + 1e-4 and along > plan.cross_half_m + 1e-4:  # the faces of kerbs lie below
        return _scaled(_pavement(lattice, plan, s, d, along, across, fine), grain)
    cycle = plan.lane_edge_m + 0.1 < across < 5.0 and along > plan.cross_half_m + 4.5
    color = _scaled(CYCLE_LANE if cycle else ASPHALT, grain)
    paint = _markings(plan, s, d, footprint_m)
    if paint > 0:
        color = _mixed(color, MARKING, paint * (0.75 + 0.25 * noise(lattice, s * 2.3 + 40, d * 2.3)))
    return _scaled(color, 1 - 0.06 * math.exp(-(((abs(across - 1.8) - 0.75) / 0.25) ** 2)))


@njit(cache=True, nogil=True)
def _bricks(lattice, u, v, color, footprint_m):
    """Courses of bricks with mortar between."""
    row = v / 0.076
    column = u / 0.225 + 0.5 * np.float64(math.floor(row) & 1)
    fine = _share(1.3 - footprint_m / 0.05)
    mortar = 0.2 * (1 - fine) + (fine if _past(row, 1.0) < 0.16 or _past(column, 1.0) < 0.06 else 0.0)
    tone = 1 + fine * 0.4 * (_cell(lattice, column, row) - 0.5)
    tone += 0.2 * (noise(lattice, u * 0.7, v * 0.7) - 0.5)
    return _mixed(_scaled(color, tone), MORTAR, mortar)


@njit(cache=True, nogil=True)
def _plaster(lattice, u, v, color):
    """A rendered wall with stains that run down."""
    stain = 0.14 * (noise(lattice, u * 1.7, v * 0.25) - 0.5) + 0.06 * (noise(lattice, u * 9, v * 9) - 0.5)
    return _scaled(color, 1 + stain - 0.18 * _share(1 - v / 0.8))


@njit(cache=True, nogil=True)
def _tiles(lattice, u, v, color, footprint_m):
    """Rows of roof tiles."""
    fine = _share(1.3 - footprint_m / 0.2)
    row = v / 0.3
    tone = 0.3 * (_cell(lattice, u / 0.25 + 0.5 * np.float64(math.floor(row) & 1), row) - 0.5)
    return _scaled(color, 1 + fine * (tone - (0.35 if _past(row, 1.0) < 0.12 else 0.0)))


@njit(cache=True, nogil=True)
def _window(u, v, tone, footprint_m):
    """A window's colour, and how much of the place is pane: frames are not."""
    soft = min(max(footprint_m, 0.004), 0.3)
    edge, bars = min(min(u, 1 - u), min(v, 1 - v)), min(abs(u - 0.5), abs(v - 0.68))
    frame = max(_share((0.055 - edge) / soft + 0.5), _share((0.02 - bars) / soft + 0.5))
    drawn = (tone > 0.55 and abs(u - 0.5) > 0.5 - 0.35 * (tone - 0.5)) or (tone > 0.85 and v > 0.55)
    pane = CURTAIN if drawn else _scaled(PANE, 0.05 + 0.06 * tone)
    return _mixed(pane, FRAME, frame), 1 - frame


@njit(cache=True, nogil=True)
def _sky(lattice, sun, x, y, z):
    """Light from the sky, with a few clouds and a bright place about the sun."""
    up = _share(z)
    light = _mixed(HORIZON, ZENITH, _power(up, 0.55))
    x_flat, y_flat = x / (up + 0.12), y / (up + 0.12)
    puff = 0.6 * noise(lattice, x_flat * 1.3, y_flat * 1.3) + 0.4 * noise(lattice, x_flat * 3.7, y_flat * 3.7)
    light = _mixed(light, CLOUD, 0.75 * _share((puff - 0.52) * 3.2) * _share(up * 6))
    toward = min(x * sun[0] + y * sun[1] + z * sun[2], 1.0)
    if toward < 0.8:
        return light
    glow = 0.5 * _power(toward, 60.0) + 6.0 * _power(toward, 3000.0)
    return light[0] + glow, light[1] + glow, light[2] + glow


@njit(cache=True, nogil=True)
def _surroundings(lattice, sun, x, y, z):
    """Light that a shiny thing mirrors: sky above, houses about, street below."""
    open_sky, street = _share((z - 0.22) / 0.16), _share((-z - 0.01) / 0.06)
    low = _mixed(HOUSES, (0.17, 0.17, 0.17), street)
    return _mixed(low, _sky(lattice, sun, x, y, z), open_sky) if open_sky > 0 else low


@njit(cache=True, nogil=True)
def _on_curve(curve, share):
    """A function whose values at even steps from 0 to 1 are given."""
    at = _share(share) * (curve.shape[0] - 1)
    k = min(int(at), curve.shape[0] - 2)
    return curve[k] + (at - k) * (curve[k + 1] - curve[k])


@njit(cache=True, nogil=True)
def _linear(to_light, srgb):
    return _on_curve(to_light, srgb[0]), _on_curve(to_light, srgb[1]), _on_curve(to_light, srgb[2])


@njit(cache=True, nogil=True)
def _exposed(to_srgb, light):
    return _on_curve(to_srgb, math.sqrt(light / BRIGHTEST))


@njit(cache=True, nogil=True)
def _bare(lattice, plan, material, color, u, v, footprint_m):
    """The sRGB of a surface without light, and how glossy it is from 0 to 1."""
    if material == GROUND:
        return _ground(lattice, plan, u, v, footprint_m), 1.0
    if material == BRICK:
        return _bricks(lattice, u, v, color, footprint_m), 1.0
    if material == PLASTER:
        return _plaster(lattice, u, v, color), 1.0
    if material == ROOF:
        return _tiles(lattice, u, v, color, footprint_m), 1.0
    if material == WINDOW:
        return _window(u, v, color[0], footprint_m)
    return color, 1.0


@njit(cache=True, nogil=True)
def shade(
    rays, range_m, material, colors, uv, normals, sunlit, openness,
    lattice, to_light, to_srgb, plan, gloss, sun, pixel_rad, rgb,
):  # fmt: skip
    """The sRGB that each ray of a camera sees: a lit surface behind haze, or the sky."""
    for i in range(rays.shape[0]):
        x, y, z = rays[i, 3], rays[i, 4], rays[i, 5]
        if not range_m[i] < math.inf:
            light = _sky(lattice, sun, x, y, z)
            for k in range(3):
                rgb[i, k] = _exposed(to_srgb, light[k])
            continue
        nx, ny, nz = np.float64(normals[i, 0]), np.float64(normals[i, 1]), np.float64(normals[i, 2])
        along = nx * x + ny * y + nz * z
        length = max(math.sqrt(nx * nx + ny * ny + nz * nz), 1e-6) * (-1.0 if along > 0 else 1.0)
        nx, ny, nz = nx / length, ny / length, nz / length
        slant = max(abs(along / length), 0.05)
        color = (np.float64(colors[i, 0]), np.float64(colors[i, 1]), np.float64(colors[i, 2]))
        kind, footprint_m = material[i], range_m[i] * pixel_rad / slant
        bare, shine = _bare(
            lattice, plan, kind, color, np.float64(uv[i, 0]), np.float64(uv[i, 1]), footprint_m
        )
        cosine = nx * sun[0] + ny * sun[1] + nz * sun[2]
        direct = (0.25 + 0.6 * abs(cosine) if kind == FOLIAGE else max(cosine, 0.0)) * sunlit[i]
        ambient = _scaled(_mixed(BOUNCE_LIGHT, SKY_LIGHT, 0.5 + 0.5 * nz), np.float64(openness[i]))
        r, g, b = _linear(to_light, bare)
        r, g, b = (
            r * (SUN_LIGHT[0] * direct + ambient[0]),
            g * (SUN_LIGHT[1] * direct + ambient[1]),
            b * (SUN_LIGHT[2] * direct + ambient[2]),
        )
        share, sharp = gloss[kind]
        if share > 0:
            x, y, z = x + 2 * slant * nx, y + 2 * slant * ny, z + 2 * slant * nz
            fresnel = (share + (1 - share) * (1 - slant) ** 5) * shine
            r, g, b = _mixed((r, g, b), _surroundings(lattice, sun, x, y, z), fresnel)
            toward = min(x * sun[0] + y * sun[1] + z * sun[2], 1.0)
            if toward > 0 and sunlit[i] > 0:
                spot = 0.06 * _power(sharp, 0.75) * _power(toward, sharp) * sunlit[i] * fresnel
                r, g, b = r + spot * SUN_LIGHT[0], g + spot * SUN_LIGHT[1], b + spot * SUN_LIGHT[2]
        if kind == LAMP:
            lamp = _linear(to_light, color)
            r, g, b = r + 0.6 * lamp[0], g + 0.6 * lamp[1], b + 0.6 * lamp[2]
        haze = 1 - math.exp(-range_m[i] / HAZE_M)
        r, g, b = _mixed((r, g, b), _scaled(HORIZON, 0.9), haze)
        rgb[i, 0], rgb[i, 1], rgb[i, 2] = _exposed(to_srgb, r), _exposed(to_srgb, g), _exposed(to_srgb, b)
