"""Two label sets laid side by side: units, their classes, distances and differences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calib.types import F64, I64, Bools
from fusion.agreement.columns import Columns
from fusion.agreement.match import Units
from fusion.categories import kind_of

ABSENT = -1


@dataclass(frozen=True, eq=False, slots=True)
class Offsets:
    """How the second box of each pair differs from the first; rows of boxes alone are NaN.

    Attributes:
        by_name: (U,) each: `center_m` the distance of the centres; `along_m`, `across_m`, `up_m` the same
            along the first box's axes; `length_m`, `width_m`, `height_m`; `yaw_rad` with half turns taken
            out. All but the distance are signed: second less first.
        flipped: (U,) which pairs face more than a quarter turn apart.
    """

    by_name: dict[str, F64]
    flipped: Bools

    @classmethod
    def of(cls, a: Columns, b: Columns, units: Units) -> Offsets:
        """Of all units."""
        paired = units.paired
        boxes_a, boxes_b = a.boxes.take(units.a[paired]), b.boxes.take(units.b[paired])
        poses_a, poses_b = boxes_a.dst_from_box, boxes_b.dst_from_box
        steps = np.einsum("nji,nj->ni", poses_a.rotations, poses_b.translations - poses_a.translations)
        sizes = boxes_b.sizes_lwh_m - boxes_a.sizes_lwh_m
        turns_rad = (poses_b.yaws_rad - poses_a.yaws_rad + np.pi) % (2 * np.pi) - np.pi
        values = {
            "center_m": np.linalg.norm(steps, axis=1),
            **dict(zip(("along_m", "across_m", "up_m"), steps.T, strict=True)),
            **dict(zip(("length_m", "width_m", "height_m"), sizes.T, strict=True)),
            "yaw_rad": (turns_rad + np.pi / 2) % np.pi - np.pi / 2,
        }
        by_name = {name: np.full(len(units), np.nan) for name in values}
        for name, column in by_name.items():
            column[paired] = values[name]
        flipped = np.zeros(len(units), dtype=np.bool_)
        flipped[paired] = np.abs(turns_rad) > np.pi / 2
        return cls(by_name, flipped)


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """What two sets say, unit by unit.

    Attributes:
        a: the first set's boxes.
        b: the second's.
        units: pairs and boxes alone.
        classes: names of the classes, in order.
        class_a: (U,) what the first calls it, as a place in `classes`; -1 where it has no box.
        class_b: (U,) the same of the second.
        range_m: (U,) distance from the car, the mean of the two where both have a box.
        offsets: how pairs differ.
    """

    a: Columns
    b: Columns
    units: Units
    classes: tuple[str, ...]
    class_a: I64
    class_b: I64
    range_m: F64
    offsets: Offsets

    @classmethod
    def of(cls, a: Columns, b: Columns, units: Units, by_kind: bool) -> Compared:
        """By the names of the classes, or by the kinds of things behind them."""
        names_a, names_b = class_names(a, by_kind), class_names(b, by_kind)
        classes = tuple(sorted({*names_a, *names_b}))
        codes = {name: code for code, name in enumerate(classes)}
        class_a = _at(np.array([codes[name] for name in names_a], dtype=np.int64), units.a, ABSENT)
        class_b = _at(np.array([codes[name] for name in names_b], dtype=np.int64), units.b, ABSENT)
        ranges_m = np.stack([_at(a.range_m, units.a, np.nan), _at(b.range_m, units.b, np.nan)])
        there = np.isfinite(ranges_m)
        range_m = np.where(there, ranges_m, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        return cls(a, b, units, classes, class_a, class_b, range_m, Offsets.of(a, b, units))

    def take(self, which: Bools) -> Compared:
        """The units under a mask; the boxes stay as they are."""
        by_name = {name: column[which] for name, column in self.offsets.by_name.items()}
        offsets = Offsets(by_name, self.offsets.flipped[which])
        return replace(
            self,
            units=self.units.take(which),
            class_a=self.class_a[which],
            class_b=self.class_b[which],
            range_m=self.range_m[which],
            offsets=offsets,
        )

    @property
    def differing(self) -> Bools:
        """(U,) boxes alone, and pairs of different classes or facing more than a quarter turn apart."""
        alone = ~self.units.paired
        return np.asarray(alone | (self.class_a != self.class_b) | self.offsets.flipped)

    @property
    def frames_ns(self) -> I64:
        """(U,) the frame of each unit."""
        from_a = _at(self.a.frames_ns, self.units.a, 0)
        return np.where(self.units.a >= 0, from_a, _at(self.b.frames_ns, self.units.b, 0)).astype(np.int64)


def class_names(columns: Columns, by_kind: bool) -> list[str]:
    """What each box is called, or the kind behind it."""
    return [kind_of(name).value if by_kind else name for name in columns.categories]


def _at(values: np.ndarray, rows: I64, absent: float) -> np.ndarray:
    """The values at some rows; another one where a row is -1."""
    if len(values) == 0:
        return np.full(len(rows), absent, dtype=values.dtype)
    return np.where(rows >= 0, values[rows], values.dtype.type(absent))
