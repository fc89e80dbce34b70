"""A drive log: what was measured, opened lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from calib.rig import Rig
from calib.types import I64, U8, frozen
from fusion.stages import stage
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class SweepRef:
    """A sweep that can be read.

    Attributes:
        lidar: name of the sensor in the rig.
        timestamp_ns: instant of the sweep.
        load: reads it.
        path: its file, where it has one of its own.
    """

    lidar: str
    timestamp_ns: int
    load: Callable[[], Sweep] = field(repr=False)
    path: Path | None = None

    def read(self) -> Sweep:
        """The points, from disk; nothing is kept."""
        with stage("read"):
            return self.load()


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image that can be read.

    Attributes:
        camera: name of the sensor in the rig.
        timestamp_ns: the middle of its exposure; of the middle row, where rows differ (see `Camera`).
        load: reads it as (H, W, 3) uint8 RGB.
        path: its file, where it has one of its own.
    """

    camera: str
    timestamp_ns: int
    load: Callable[[], U8] = field(repr=False)
    path: Path | None = None

    def read(self) -> U8:
        """(H, W, 3) uint8 RGB, from disk; nothing is kept."""
        return self.load()


Ref = TypeVar("Ref", SweepRef, ImageRef)


@dataclass(frozen=True, slots=True)
class MissingFrame:
    """A frame that a log should have and has not."""

    sensor: str
    timestamp_ns: int
    reason: str


@dataclass(frozen=True, eq=False)
class DriveLog:
    """An index of what one drive measured.

    Attributes:
        name: unique within a data set; the name of the folder its labels are written to.
        rig: the sensors.
        trajectory: the car's way.
        timestamps_ns: (F,) int64, the frames: the instants that labels belong to, one a revolution
            of the main LiDAR. A frame may have no sweep (a log of labels only, a lost file).
        sweeps: by LiDAR, in order of time.
        images: by camera, in order of time.
        missing: what the log should have and has not.
        metadata: what a data set says of the log: licence, place, date, source format.
    """

    name: str
    rig: Rig
    trajectory: Trajectory
    timestamps_ns: I64
    sweeps: Mapping[str, tuple[SweepRef, ...]] = field(default_factory=dict)
    images: Mapping[str, tuple[ImageRef, ...]] = field(default_factory=dict)
    missing: tuple[MissingFrame, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    _sweep_times: Mapping[str, I64] = field(init=False, repr=False)
    _image_times: Mapping[str, I64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timestamps_ns", frozen(self.timestamps_ns, np.int64))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        for name in ("sweeps", "images"):
            object.__setattr__(self, name, MappingProxyType(_in_order(getattr(self, name))))
        object.__setattr__(self, "_sweep_times", _times(self.sweeps))
        object.__setattr__(self, "_image_times", _times(self.images))

    def __len__(self) -> int:
        return len(self.timestamps_ns)

    def sweep_at(self, timestamp_ns: int, lidar: str | None = None) -> SweepRef | None:
        """The sweep of exactly this frame, of the main LiDAR unless another is named; None if missing."""
        if lidar is None:
            main = self.rig.main_lidar
            if main is None:
                return None
            lidar = main.name
        refs = self.sweeps.get(lidar, ())
        if not refs:
            return None
        ref = refs[_nearest(self._sweep_times[lidar], timestamp_ns)]
        return ref if ref.timestamp_ns == timestamp_ns else None

    def frames_at(self, times_ns: ArrayLike) -> I64:
        """(M,) the number of the frame at each of (M,) instants; -1 where there is none."""
        wanted_ns = np.asarray(times_ns, dtype=np.int64).reshape(-1)
        if len(self) == 0:
            return np.full(len(wanted_ns), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.timestamps_ns, wanted_ns), len(self) - 1)
        return np.where(self.timestamps_ns[at] == wanted_ns, at, -1)

    def image_near(self, camera: str, timestamp_ns: int, within_ns: int = 100_000_000) -> ImageRef | None:
        """The image of a camera that was taken nearest to an instant; None where none is near enough."""
        refs = self.images.get(camera, ())
        if not refs:
            return None
        ref = refs[_nearest(self._image_times[camera], timestamp_ns)]
        return ref if abs(ref.timestamp_ns - timestamp_ns) <= within_ns else None


def _in_order(refs: Mapping[str, Iterable[Ref]]) -> dict[str, tuple[Ref, ...]]:
    return {name: tuple(sorted(some, key=lambda ref: ref.timestamp_ns)) for name, some in refs.items()}


def _times(refs: Mapping[str, tuple[Ref, ...]]) -> dict[str, I64]:
    return {name: np.array([ref.timestamp_ns for ref in some], np.int64) for name, some in refs.items()}


def _nearest(times: I64, timestamp_ns: int) -> int:
    after = min(int(np.searchsorted(times, timestamp_ns)), len(times) - 1)
    before = max(after - 1, 0)
    return before if abs(times[before] - timestamp_ns) <= abs(times[after] - timestamp_ns) else after
