"""Where the car was at every instant of a log."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from calib.errors import CalibrationError
from calib.quaternion import slerp
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, frozen
from fusion.errors import TimeRangeError


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses of the car over time, interpolated between (lerp and slerp).

    Attributes:
        timestamps_ns: (N,) int64, strictly rising, N >= 1.
        world_from_ego: N poses.

    Raises:
        CalibrationError: lengths differ, times do not rise, or a pose is not finite.
    """

    timestamps_ns: I64
    world_from_ego: SE3Batch
    _quaternions: F64 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        timestamps_ns = frozen(self.timestamps_ns, np.int64)
        if len(timestamps_ns) == 0 or timestamps_ns.shape != (len(self.world_from_ego),):
            raise CalibrationError(
                f"a trajectory needs one time a pose and at least one, "
                f"not {timestamps_ns.shape} times and {len(self.world_from_ego)} poses"
            )
        if (np.diff(timestamps_ns) <= 0).any():
            where = int(np.argmax(np.diff(timestamps_ns) <= 0)) + 1
            raise CalibrationError(f"the times of a trajectory must rise; pose {where} does not")
        object.__setattr__(self, "timestamps_ns", timestamps_ns)
        object.__setattr__(self, "_quaternions", self.world_from_ego.quaternions_wxyz)

    @classmethod
    def standing(cls, timestamps_ns: ArrayLike) -> Trajectory:
        """A car that does not move, its place the origin of the world."""
        times = np.asarray(timestamps_ns, dtype=np.int64)
        return cls(times, SE3Batch(np.tile(np.eye(3), (len(times), 1, 1)), np.zeros((len(times), 3))))

    @property
    def start_ns(self) -> int:
        """First instant covered."""
        return int(self.timestamps_ns[0])

    @property
    def end_ns(self) -> int:
        """Last instant covered."""
        return int(self.timestamps_ns[-1])

    def covers(self, timestamp_ns: int) -> bool:
        """Whether there is a pose at this instant."""
        return self.start_ns <= timestamp_ns <= self.end_ns

    def at(self, timestamp_ns: int) -> SE3:
        """Returns world_from_ego at one instant.

        Raises:
            TimeRangeError: the instant is outside of the trajectory.
        """
        return self.at_many(np.array([timestamp_ns], dtype=np.int64))[0]

    def at_many(self, timestamps_ns: ArrayLike) -> SE3Batch:
        """Returns world_from_ego at (M,) instants in any order.

        Raises:
            TimeRangeError: an instant is outside of the trajectory.
        """
        wanted = np.asarray(timestamps_ns, dtype=np.int64).reshape(-1)
        outside = (wanted < self.start_ns) | (wanted > self.end_ns)
        if outside.any():
            late_s = (int(wanted[np.argmax(outside)]) - self.start_ns) / 1e9
            raise TimeRangeError(
                f"{late_s:.3f} s is outside of the trajectory, which covers 0 s to "
                f"{(self.end_ns - self.start_ns) / 1e9:.3f} s"
            )
        after = np.clip(np.searchsorted(self.timestamps_ns, wanted), 1, max(len(self.timestamps_ns) - 1, 1))
        if len(self.timestamps_ns) == 1:
            return self.world_from_ego.take(np.zeros(len(wanted), dtype=np.intp))
        before = after - 1
        span = (self.timestamps_ns[after] - self.timestamps_ns[before]).astype(np.float64)
        fraction = (wanted - self.timestamps_ns[before]) / span
        places = self.world_from_ego.translations
        mixed = places[before] + fraction[:, None] * (places[after] - places[before])
        turned = slerp(self._quaternions[before], self._quaternions[after], fraction)
        return SE3Batch.from_quaternions_wxyz(turned, mixed)
