"""What any source says of one object's poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.types import F64, Bools


@dataclass(frozen=True, eq=False, slots=True)
class Measurements:
    """Poses of one object as a source saw them, in the local world.

    Attributes:
        times_s: (M,) when the beam met it; not falling, equal times allowed.
        places: (M, 3) metres.
        yaws_rad: (M,).
        information: (M, 3, 3) inverse covariance of (x m, y m, yaw rad); zero along what was not seen.
        height_sigmas_m: (M,) standard deviation of z.
        firm: (M,) bool, a person's word: never taken for an outlier.
    """

    times_s: F64
    places: F64
    yaws_rad: F64
    information: F64
    height_sigmas_m: F64
    firm: Bools

    def __len__(self) -> int:
        return len(self.times_s)

    @classmethod
    def of(
        cls,
        times_s: F64,
        places: F64,
        yaws_rad: F64,
        sigmas_m: F64 | float,
        sigmas_rad: F64 | float,
        firm: bool = False,
    ) -> Measurements:
        """From places equally sure in all directions, and headings independent of them."""
        count = len(times_s)
        information = np.zeros((count, 3, 3))
        information[:, 0, 0] = information[:, 1, 1] = 1 / np.broadcast_to(sigmas_m, count) ** 2
        information[:, 2, 2] = 1 / np.broadcast_to(sigmas_rad, count) ** 2
        heights_m = np.array(np.broadcast_to(sigmas_m, count), dtype=np.float64)
        return cls(times_s, places, yaws_rad, information, heights_m, np.full(count, firm))

    @classmethod
    def merged(cls, sources: Sequence[Measurements]) -> Measurements:
        """All that several sources say, in order of time; of one instant in the order of the sources."""
        columns = [
            np.concatenate([getattr(source, name) for source in sources])
            for name in ("times_s", "places", "yaws_rad", "information", "height_sigmas_m", "firm")
        ]
        order = np.argsort(columns[0], kind="stable")
        return cls(*(column[order] for column in columns))

    def take(self, chosen: np.ndarray) -> Measurements:
        """Some of them, by a mask or by rising indices."""
        return Measurements(
            self.times_s[chosen],
            self.places[chosen],
            self.yaws_rad[chosen],
            self.information[chosen],
            self.height_sigmas_m[chosen],
            self.firm[chosen],
        )
