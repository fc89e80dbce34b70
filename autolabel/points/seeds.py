"""Objects known in one frame each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from autolabel.points.config import PointsConfig, SurfaceConfig
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation


@dataclass(frozen=True, eq=False, slots=True)
class Seeds:
    """One box of each of K objects, in the local world.

    Attributes:
        kinds: what they are.
        frames: (K,) numbers of the frames among those of `Scans`.
        poses: (K, 4) x, y, z, yaw.
        sizes_lwh_m: (K, 3).
    """

    kinds: tuple[Kind, ...]
    frames: I64
    poses: F64
    sizes_lwh_m: F64

    @classmethod
    def of(cls, given: Iterable[tuple[str, Annotation]], world: LocalWorld, frames_ns: I64) -> Seeds:
        """From categories and boxes at frames that the world covers."""
        listed = list(given)
        boxes = [Sightings.of([annotation], world) for _, annotation in listed]
        poses = np.array([[*b.local_from_box.translations[0], b.local_from_box.yaws_rad[0]] for b in boxes])
        sizes = np.array([b.sizes_lwh_m[0] for b in boxes])
        times_ns = np.array([a.timestamp_ns for _, a in listed], dtype=np.int64)
        kinds = tuple(kind_of(category) for category, _ in listed)
        return cls(kinds, np.searchsorted(frames_ns, times_ns), poses.reshape(-1, 4), sizes.reshape(-1, 3))

    def __len__(self) -> int:
        return len(self.kinds)

    def surfaces(self, config: PointsConfig) -> list[SurfaceConfig]:
        """The settings of each."""
        return [config.of(kind) for kind in self.kinds]
