"""The boxes of all objects in columns, each object's in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.traced import Traced, is_given
from autolabel.world import LocalWorld, Sightings
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """N boxes of K objects in the local world.

    Attributes:
        starts: (K + 1,) where the boxes of each object begin.
        times_ns: (N,) rising within an object.
        local_from_box: N poses.
        sizes_lwh_m: (N, 3).
        given: (N,) which were given; the others were made.
    """

    starts: I64
    times_ns: I64
    local_from_box: SE3Batch
    sizes_lwh_m: F64
    given: Bools

    @classmethod
    def of(cls, traced: Sequence[Traced], world: LocalWorld) -> Columns:
        """All boxes, given and made, at instants that the world covers."""
        parts, given = [], []
        for one in traced:
            own = {a.timestamp_ns: a for a in one.track.annotations.values() if is_given(a)}
            both = {**{a.timestamp_ns: a for a in one.made}, **own}
            known = world.covers(np.array(list(both), dtype=np.int64))
            times = sorted(t for t, covered in zip(both, known, strict=True) if covered)
            parts.append(Sightings.of((both[t] for t in times), world))
            given.append(np.array([t in own for t in times], dtype=np.bool_))
        every = Sightings.concatenate(parts)
        starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        flags = np.concatenate([np.zeros(0, dtype=np.bool_), *given])
        return cls(starts, every.times_ns, every.local_from_box, every.sizes_lwh_m, flags)

    def __len__(self) -> int:
        return len(self.times_ns)

    def take(self, rows: slice) -> Columns:
        """The boxes of one object."""
        starts = np.array([0, rows.stop - rows.start], dtype=np.int64)
        return Columns(
            starts,
            self.times_ns[rows],
            self.local_from_box.take(rows),
            self.sizes_lwh_m[rows],
            self.given[rows],
        )

    @property
    def owners(self) -> I64:
        """(N,) whose each box is."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def of_track(self, number: int) -> slice:
        """The boxes of one object."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))
