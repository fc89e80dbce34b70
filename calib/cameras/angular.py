"""Lenses whose image grows with the angle from the axis by a polynomial."""

from __future__ import annotations

import math

import numpy as np

from calib.types import F64

Polynomial = np.polynomial.Polynomial


def first_positive_root(polynomial: Polynomial) -> float:
    """Of a polynomial that is positive at zero; infinite if there is none.

    In the inverse of the unknown it begins with that value, so small coefficients of high powers do no harm.
    """
    coefficients = polynomial.coef / polynomial.coef[0]
    inverses = np.roots(coefficients)
    real = inverses.real[(np.abs(inverses.imag) < 1e-7 * np.abs(inverses)) & (inverses.real > 0)]
    largest = float(real.max(initial=0.0))
    return 1 / largest if largest > 1e-300 else math.inf


def rising_until(coefficients: tuple[float, ...]) -> float:
    """How far a polynomial, lowest power first, rises from zero on."""
    return first_positive_root(Polynomial(coefficients).deriv())


def invert(coefficients: tuple[float, ...], values: F64, limit: float) -> F64:
    """Where in [0, limit] a polynomial that rises there takes these values; NaN where nowhere.

    Newton's method, with halving where a step leaves the bracket.
    """
    curve, slope = Polynomial(coefficients), Polynomial(coefficients).deriv()
    samples = np.linspace(0, limit, 257)
    heights = np.maximum.accumulate(curve(samples))
    inside = (values >= 0) & (values <= heights[-1] * (1 + 1e-15))
    wanted = np.where(inside, values, 0.0)
    after = np.clip(np.searchsorted(heights, wanted), 1, 256)
    low, high = samples[after - 1], samples[after]
    x = np.interp(wanted, heights, samples)
    for _ in range(60):
        error = curve(x) - wanted
        low, high = np.where(error <= 0, x, low), np.where(error >= 0, x, high)
        with np.errstate(all="ignore"):
            moved = x - error / slope(x)
        moved = np.where((moved >= low) & (moved <= high), moved, (low + high) / 2)
        settled = np.abs(moved - x) <= 1e-16 * limit
        x = moved
        if settled.all():
            break
    return np.where(inside, x, np.nan)


def rays_at(offsets: F64, angles_rad: F64) -> F64:
    """(N, 3) unit directions at these angles from the axis, towards (N, 2) offsets from the centre."""
    lengths = np.hypot(*offsets.T)
    sines = np.sin(angles_rad) / np.where(lengths > 0, lengths, 1.0)
    return np.column_stack([offsets * sines[:, None], np.cos(angles_rad)])
