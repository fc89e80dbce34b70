"""Where an object was, how fast and how sure, at instants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64


@dataclass(frozen=True, eq=False, slots=True)
class Motion:
    """The motion of one object in the local world.

    Attributes:
        times_s: (K,) rising.
        places: (K, 3) metres.
        yaws_rad: (K,) unwrapped.
        velocities: (K, 3) m/s.
        turn_rates: (K,) rad/s.
        covariances: (K, 3, 3) of (x m, y m, yaw rad).
    """

    times_s: F64
    places: F64
    yaws_rad: F64
    velocities: F64
    turn_rates: F64
    covariances: F64

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def speeds_mps(self) -> F64:
        """(K,) over the ground."""
        return np.asarray(np.hypot(self.velocities[:, 0], self.velocities[:, 1]))

    @property
    def sigmas_m(self) -> F64:
        """(K,) standard deviation of the place along its worst direction on the ground."""
        xx, xy, yy = self.covariances[:, 0, 0], self.covariances[:, 0, 1], self.covariances[:, 1, 1]
        return np.asarray(np.sqrt(0.5 * (xx + yy) + np.hypot(0.5 * (xx - yy), xy)))

    def at(self, times_s: F64) -> Motion:
        """The motion at any instants: cubic between knots, straight on beyond the ends.

        Covariances are those of the nearer knot: ask `smooth` for an instant where they matter.
        """
        wanted_s = np.asarray(times_s, dtype=np.float64)
        before, after, fraction = bracket(self.times_s, wanted_s)
        state = np.column_stack([self.places, self.yaws_rad])
        rates = np.column_stack([self.velocities, self.turn_rates])
        u, span_s = fraction[:, None], (self.times_s[after] - self.times_s[before])[:, None]
        leave, arrive, way = rates[before] * span_s, rates[after] * span_s, state[after] - state[before]
        bend, twist = 3 * way - 2 * leave - arrive, leave + arrive - 2 * way
        there = state[before] + u * (leave + u * (bend + u * twist))
        slopes = leave + u * (2 * bend + u * 3 * twist)
        rate = np.where(span_s > 0, slopes / np.where(span_s > 0, span_s, 1.0), rates[before])
        beyond_s = wanted_s - np.clip(wanted_s, self.times_s[0], self.times_s[-1])
        there = there + beyond_s[:, None] * rate
        nearer = np.where(fraction < 0.5, before, after)
        return Motion(wanted_s, there[:, :3], there[:, 3], rate[:, :3], rate[:, 3], self.covariances[nearer])


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
