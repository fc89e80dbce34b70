"""Numpy twins of every camera model, written plainly from the published formulas, and where each holds.

A twin gives pixels wherever its formula gives numbers; whether a direction is valid is found out here by
sampling, not by the closed forms that the package uses.
"""

from functools import lru_cache

import numpy as np

from calib.cameras import (
    Cylindrical,
    DoubleSphere,
    Equirectangular,
    ExtendedUnified,
    Fisheye,
    FTheta,
    Pinhole,
    Unified,
)
from tests import reference

SAMPLES = 100_001
STEP_RAD = 4e-5  # a little more than pi over the samples


def to_pixels(model, plane):
    return plane * (model.fx_px, model.fy_px) + (model.cx_px, model.cy_px)


def pixels(model, points):
    """(N, 2) pixels of (N, 3) points."""
    with np.errstate(all="ignore"):
        return FORMULAS[type(model)](model, np.asarray(points, dtype=np.float64))


def pinhole(model, points):
    """OpenCV's documentation of projectPoints."""
    return to_pixels(model, reference.distort_brown(points[:, :2] / points[:, 2:], model.distortion))


def fisheye(model, points):
    """Kannala and Brandt (2006) with the angle of atan2."""
    x, y, z = points.T
    r = np.hypot(x, y)
    theta = np.arctan2(r, z)
    k = [*model.distortion, *[0.0] * (4 - len(model.distortion))]
    theta_d = theta + sum(k[i] * theta ** (2 * i + 3) for i in range(4))
    return to_pixels(model, points[:, :2] * np.where(r > 0, theta_d / r, 1.0)[:, None])


def unified(model, points):
    """Mei and Rives (2007) as cv2.omnidir documents it."""
    on_sphere = points / np.linalg.norm(points, axis=1, keepdims=True)
    plane = on_sphere[:, :2] / (on_sphere[:, 2:] + model.xi)
    return to_pixels(model, reference.distort_brown(plane, model.distortion))


def extended_unified(model, points):
    """Khomutenko, Garcia and Martinet (2016)."""
    x, y, z = points.T
    d = np.sqrt(model.beta * (x * x + y * y) + z * z)
    return to_pixels(model, points[:, :2] / (model.alpha * d + (1 - model.alpha) * z)[:, None])


def double_sphere(model, points):
    """Usenko, Demmel and Cremers (2018)."""
    x, y, z = points.T
    d1 = np.sqrt(x * x + y * y + z * z)
    d2 = np.sqrt(x * x + y * y + (model.xi * d1 + z) ** 2)
    scale = model.alpha * d2 + (1 - model.alpha) * (model.xi * d1 + z)
    return to_pixels(model, points[:, :2] / scale[:, None])


def ftheta(model, points):
    """NCore's description of the f-theta model; the backward polynomial is inverted by bisection."""
    x, y, z = points.T
    r = np.hypot(x, y)
    theta = np.arctan2(r, z)
    if model.reference == "angle_to_px":
        distance = np.polynomial.polynomial.polyval(theta, model.angle_to_px)
    else:
        low, high = np.zeros(len(theta)), np.full(len(theta), ftheta_reach(model))
        for _ in range(70):
            middle = (low + high) / 2
            below = np.polynomial.polynomial.polyval(middle, model.px_to_angle) < theta
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        distance = (low + high) / 2
    c, d, e = model.linear_cde
    scale = np.where(r > 0, distance / r, 0.0)
    u, v = model.cx_px + (c * x + d * y) * scale, model.cy_px + (e * x + y) * scale
    return np.column_stack([u, v])


@lru_cache
def ftheta_reach(model):
    """Distance from the centre at which the backward polynomial stops to rise or reaches its angle."""
    distances = np.linspace(0, 1e4, SAMPLES)
    angles = np.polynomial.polynomial.polyval(distances, model.px_to_angle)
    stops = np.flatnonzero((np.diff(angles) <= 0) | (angles[1:] > model.max_angle_rad))
    return distances[stops[0] + 1] if len(stops) else distances[-1]


def cylindrical(model, points):
    x, y, z = points.T
    u, v = to_pixels(model, np.column_stack([np.arctan2(x, z), y / np.hypot(x, z)])).T
    turn_px, middle_px = 2 * np.pi * model.fx_px, (model.width_px - 1) / 2
    return np.column_stack([u - turn_px * np.round((u - middle_px) / turn_px), v])


def equirectangular(model, points):
    x, y, z = points.T
    u = (np.arctan2(x, z) / (2 * np.pi) + 0.5) * model.width_px - 0.5
    v = (np.arctan2(y, np.hypot(x, z)) / np.pi + 0.5) * model.height_px - 0.5
    return np.column_stack([u, v])


FORMULAS = {
    Pinhole: pinhole,
    Fisheye: fisheye,
    Unified: unified,
    ExtendedUnified: extended_unified,
    DoubleSphere: double_sphere,
    FTheta: ftheta,
    Cylindrical: cylindrical,
    Equirectangular: equirectangular,
}


def is_uneven(model):
    """Whether the distortion differs by direction (tilt apart, which folds nowhere)."""
    k = getattr(model, "distortion", ())
    return isinstance(model, Pinhole | Unified) and (any(k[2:4]) or any(k[8:12]))


def plane_from(model, points):
    """Pinhole and unified model: the plane before distortion."""
    with np.errstate(all="ignore"):
        if isinstance(model, Unified):
            return points[:, :2] / (points[:, 2:] + model.xi * np.linalg.norm(points, axis=1, keepdims=True))
        return points[:, :2] / points[:, 2:]


@lru_cache
def widest_rad(model):
    """Angle at which the image of a ray that turns away from the axis ceases to move outwards."""
    if isinstance(model, Cylindrical | Equirectangular):
        return np.pi
    angles = np.linspace(0, np.pi, SAMPLES)[:-1]
    rays = np.column_stack([np.sin(angles), np.zeros(len(angles)), np.cos(angles)])
    if isinstance(model, Pinhole | Unified):  # without the terms that differ by direction
        plane = plane_from(model, rays)
        k = [*model.distortion, *[0.0] * (14 - len(model.distortion))]
        k[2:4], k[8:14] = (0, 0), (0,) * 6
        with np.errstate(all="ignore"):
            radius = reference.distort_brown(plane, k)[:, 0]
            radius[plane[:, 0] < 0] = np.nan
    else:
        radius = pixels(model, rays)[:, 0] - model.cx_px
    stops = np.flatnonzero(~(np.diff(radius) > 0))
    stop = angles[stops[0]] if len(stops) else angles[-1]
    return min(stop, getattr(model, "max_angle_rad", np.pi))


@lru_cache
def folds(model, azimuths=180, steps=700):
    """(azimuths,) radius on the plane at which the distortion first folds, in each direction."""
    around = np.linspace(-np.pi, np.pi, azimuths, endpoint=False)
    radii = np.tan(np.linspace(0, min(widest_rad(model) + 0.2, np.radians(89.9)), steps))
    plane = radii[None, :, None] * np.stack([np.cos(around), np.sin(around)], axis=-1)[:, None]
    k = (*model.distortion[:12], *[0.0] * (12 - len(model.distortion[:12])))

    def distort(points):
        return reference.distort_brown(points, k)

    with np.errstate(all="ignore"):
        bad = ~(reference.jacobian_sign(distort, plane) > 0)
    return np.where(bad.any(axis=1), radii[np.maximum(np.argmax(bad, axis=1), 1)], radii[-1])


def fold_at(model, plane):
    """Radius of the first fold in the directions of (N, 2) points of the plane."""
    table = folds(model)
    place = (np.arctan2(plane[:, 1], plane[:, 0]) + np.pi) / (2 * np.pi) * len(table)
    low = np.floor(place).astype(int) % len(table)
    high = (low + 1) % len(table)
    return table[low] + (place % 1) * (table[high] - table[low])


def on_image(model, uv_px, margin_px=0.0):
    """Inside the borders by a margin; a negative one widens the image."""
    low, high = -0.5 + margin_px, np.array([model.width_px, model.height_px]) - 0.5 - margin_px
    with np.errstate(invalid="ignore"):
        return ((uv_px >= low) & (uv_px < high)).all(axis=1)


def holds(model, points, slack=0.0):
    """Where a model holds, by sampling: 0 is the limit itself, 0.01 a hundredth beyond, -0.01 before it."""
    points = np.asarray(points, dtype=np.float64)
    with np.errstate(all="ignore"):
        finite = np.isfinite(points).all(axis=1) & (np.abs(points).max(axis=1) > 0)
        angles = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
        good = finite & ((angles < np.pi) | isinstance(model, Cylindrical | Equirectangular))
        if isinstance(model, Pinhole):
            good &= points[:, 2] > 0
        if not is_uneven(model):
            return good & (angles <= widest_rad(model) + STEP_RAD + slack)
        plane = plane_from(model, points)
        ahead = points[:, 2] + getattr(model, "xi", 0.0) * np.linalg.norm(points, axis=1) > 0
        if getattr(model, "xi", 0.0) > 1:
            ahead &= angles <= np.arccos(-1 / model.xi) + 1e-9
        good &= ahead
        good[good] &= np.hypot(*plane[good].T) <= fold_at(model, plane[good]) * (1 + slack)
    return good
