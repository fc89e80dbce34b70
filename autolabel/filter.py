"""Where an object will be next: one step of a constant-velocity Kalman filter after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """Place and velocity of an object, equally sure in every direction.

    Attributes:
        time_s: when.
        place: (3,) metres.
        velocity: (3,) m/s.
        covariance: (2, 2) of place and velocity along any one axis.
    """

    time_s: float
    place: F64
    velocity: F64
    covariance: F64

    @classmethod
    def first(cls, time_s: float, place: F64, sigma_m: float, fastest_mps: float) -> Belief:
        """After a single sighting: it may go anywhere."""
        return cls(time_s, place, np.zeros(3), np.diag([sigma_m**2, (fastest_mps / 2) ** 2]))

    @property
    def sigma_m(self) -> float:
        """Standard deviation of the place along any one axis."""
        return float(np.sqrt(self.covariance[0, 0]))

    def at(self, time_s: float, acceleration: float) -> Belief:
        """The belief at a later time, if nothing is seen until then."""
        span_s = time_s - self.time_s
        onward = np.array([[1.0, span_s], [0.0, 1.0]])
        noise = acceleration**2 * np.array([[span_s**3 / 3, span_s**2 / 2], [span_s**2 / 2, span_s]])
        covariance = onward @ self.covariance @ onward.T + noise
        return Belief(time_s, self.place + span_s * self.velocity, self.velocity, covariance)

    def seeing(self, place: F64, sigma_m: float) -> Belief:
        """The belief after a sighting at the same time."""
        gain = self.covariance[:, 0] / (self.covariance[0, 0] + sigma_m**2)
        surprise = place - self.place
        covariance = self.covariance - np.outer(gain, self.covariance[0])
        return Belief(
            self.time_s, self.place + gain[0] * surprise, self.velocity + gain[1] * surprise, covariance
        )
