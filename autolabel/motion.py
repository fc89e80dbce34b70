"""How an object moves: the smoothest path through where it was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64

HUBER = 1.5
ROUNDS = 3


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """A path with a place and a velocity at each of its knots.

    Between two knots it is the cubic that leaves and arrives with their velocities, which is what the
    estimator of `smoothest_path` expects there; beyond its ends it goes straight on.

    Attributes:
        times_s: (N,) rising.
        places: (N, A) in as many axes as there are.
        velocities: (N, A) a second.
    """

    times_s: F64
    places: F64
    velocities: F64

    def at(self, times_s: F64) -> tuple[F64, F64]:
        """(M, A) places and (M, A) velocities at any times."""
        a, b, fraction = bracket(self.times_s, times_s)
        u, span_s = fraction[:, None], (self.times_s[b] - self.times_s[a])[:, None]
        leave, arrive = self.velocities[a] * span_s, self.velocities[b] * span_s
        way = self.places[b] - self.places[a]
        bend, twist = 3 * way - 2 * leave - arrive, leave + arrive - 2 * way
        places = self.places[a] + u * (leave + u * (bend + u * twist))
        slopes = leave + u * (2 * bend + u * 3 * twist)
        velocities = np.where(span_s > 0, slopes / np.where(span_s > 0, span_s, 1.0), self.velocities[a])
        beyond_s = times_s - np.clip(times_s, self.times_s[0], self.times_s[-1])
        return places + beyond_s[:, None] * velocities, velocities


def bracket(times_s: F64, wanted_s: F64) -> tuple[I64, I64, F64]:
    """The instants before and after each wanted one, and how far between them it is, from 0 to 1.

    Beyond the ends it is the end itself; with a single instant both are that one.
    """
    last = len(times_s) - 1
    after = np.clip(np.searchsorted(times_s, wanted_s, side="right"), min(1, last), last)
    before = np.maximum(after - 1, 0)
    spans_s = times_s[after] - times_s[before]
    fraction = (wanted_s - times_s[before]) / np.where(spans_s > 0, spans_s, 1.0)
    return before, after, np.where(spans_s > 0, np.clip(fraction, 0.0, 1.0), 0.0)


def evenly(times_s: F64, values: F64, wanted_s: F64, onward: bool = False) -> F64:
    """Values (N, ...) linearly between neighbouring instants.

    Beyond the ends they are those of the ends or, `onward`, change as they last did.
    """
    before, after, fraction = bracket(times_s, wanted_s)
    if onward:
        spans_s = times_s[after] - times_s[before]
        fraction = (wanted_s - times_s[before]) / np.where(spans_s > 0, spans_s, np.inf)
    fraction = fraction.reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((1 - fraction) * values[before] + fraction * values[after])


def smoothest_path(
    times_s: F64,
    places: F64,
    sigmas: F64,
    acceleration: float,
    headings_rad: F64 | None = None,
    slip: float = 0.3,
) -> Path:
    """The most likely path of something that nearly keeps its velocity, seen at places with errors.

    Constant velocity disturbed by white noise of `acceleration` (units / s^2 in a root second), places
    (N, A) in A axes with deviations `sigmas` (N,), and, where
    `headings_rad` (N,) are given, a velocity that hardly leaves the heading (`slip`). Outlying places and
    sudden manoeuvres count less (Huber). Solved for all instants at once, which gives what a Kalman
    filter with a Rauch-Tung-Striebel smoother gives.
    """
    from scipy.linalg import solveh_banded

    count, axes = places.shape
    if count == 1:
        return Path(times_s, places, np.zeros_like(places))
    trust, ease = np.ones(count), np.ones(count - 1)
    for _ in range(ROUNDS):
        weights = trust / sigmas**2
        bands = np.zeros((4 * axes, count * 2 * axes))
        _add_motion(bands, np.diff(times_s), ease / acceleration**2, axes)
        for axis in range(axes):
            bands[0, axis :: 2 * axes] += weights
        if headings_rad is not None:
            _add_headings(bands, headings_rad, slip, axes)
        seen = np.hstack([weights[:, None] * places, np.zeros((count, axes))])
        state = solveh_banded(bands, seen.ravel(), lower=True).reshape(count, 2 * axes)
        path = Path(times_s, state[:, :axes], state[:, axes:])
        trust = _huber(np.linalg.norm(places - path.places, axis=1) / sigmas)
        ease = _huber(_jolts(path) / acceleration)
    return path


def _motion_information(spans_s: F64) -> F64:
    """(M, 4, 4) weights of (place, velocity) at both ends of spans under unit white-noise acceleration."""
    inverse = np.empty((len(spans_s), 2, 2))
    inverse[:, 0, 0] = 12 / spans_s**3
    inverse[:, 0, 1] = inverse[:, 1, 0] = -6 / spans_s**2
    inverse[:, 1, 1] = 4 / spans_s
    surprise = np.zeros((len(spans_s), 2, 4))
    surprise[:, 0, 0] = surprise[:, 1, 1] = -1
    surprise[:, 0, 1] = -spans_s
    surprise[:, 0, 2] = surprise[:, 1, 3] = 1
    return np.asarray(surprise.transpose(0, 2, 1) @ inverse @ surprise)


def _add_motion(bands: F64, spans_s: F64, weights: F64, axes: int) -> None:
    information = _motion_information(spans_s) * weights[:, None, None]
    for axis in range(axes):
        slots = (axis, axes + axis, 2 * axes + axis, 3 * axes + axis)
        for i, row in enumerate(slots):
            for j, column in enumerate(slots[: i + 1]):
                bands[row - column, column :: 2 * axes][: len(spans_s)] += information[:, i, j]


def _add_headings(bands: F64, headings_rad: F64, slip: float, axes: int) -> None:
    across_x, across_y = -np.sin(headings_rad), np.cos(headings_rad)
    bands[0, axes :: 2 * axes] += across_x**2 / slip**2
    bands[0, axes + 1 :: 2 * axes] += across_y**2 / slip**2
    bands[1, axes :: 2 * axes] += across_x * across_y / slip**2


def _jolts(path: Path) -> F64:
    """(N - 1,) root mean square over the axes of how far each span is from constant velocity."""
    places, velocities = path.places, path.velocities
    both = np.stack([places[:-1], velocities[:-1], places[1:], velocities[1:]], axis=1)
    information = _motion_information(np.diff(path.times_s))
    squares = np.einsum("nia,nij,nja->n", both, information, both)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0) / (2 * places.shape[1])))


def _huber(deviations: F64) -> F64:
    return np.asarray(HUBER / np.maximum(deviations, HUBER))
