"""What laying trips on each other found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calib.types import F64, I64, Bools
from fusion.log import DriveLog
from fusion.trajectory import Trajectory


@dataclass(frozen=True, eq=False, slots=True)
class AlignedTrip:
    """One trip in the frame of the first.

    Attributes:
        log: its name.
        trajectory: of its car, in the world of the first trip; its own where it meets none of the others.
        loops: whether it comes by a place again, and was made to agree with itself.
        meets: whether it does.
        stations_ns: (K,) the instants at which its scans were compared.
        on_others: (K,) whether the scan of a station lies on what other trips saw: where they overlap.
        residuals_m: (K,) how far it lies from where the trajectory puts it; NaN where it does not.
        residuals_deg: (K,) the same of its turn.
        agreement: (K,) of what stands around, the share that stood there on the other trips; NaN likewise.
        moved_m: the median correction of its poses.
    """

    log: str
    trajectory: Trajectory
    meets: bool
    loops: bool
    stations_ns: I64
    on_others: Bools
    residuals_m: F64
    residuals_deg: F64
    agreement: F64
    moved_m: float

    @property
    def stretches_ns(self) -> tuple[tuple[int, int], ...]:
        """From when to when it drove where others did."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.on_others.astype(np.int8), [0]])))
        return tuple(
            (int(self.stations_ns[a]), int(self.stations_ns[b - 1]))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
        )

    def __str__(self) -> str:
        if not self.meets:
            return f"{self.log}: meets none of the other trips"
        where = f"{self.log}: on others at {int(self.on_others.sum())} of {len(self.stations_ns)} places"
        if not np.isfinite(self.residuals_m).any():
            return f"{where}; the others are laid on it"
        residuals_m, residuals_deg = (float(np.nanmedian(v)) for v in (self.residuals_m, self.residuals_deg))
        return (
            f"{where}, moved by {self.moved_m:.2f} m, scans lie within {100 * residuals_m:.1f} cm and "
            f"{residuals_deg:.2f} degrees, {100 * float(np.nanmedian(self.agreement)):.0f} % agree"
        )


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """Several trips in the world of the first of them.

    Attributes:
        trips: in the order in which they were given.
    """

    trips: tuple[AlignedTrip, ...]

    def applied(self, logs: Sequence[DriveLog]) -> list[DriveLog]:
        """The logs with their corrected trajectories."""
        return [replace(log, trajectory=trip.trajectory) for log, trip in zip(logs, self.trips, strict=True)]

    def __str__(self) -> str:
        return "\n".join(str(trip) for trip in self.trips)
