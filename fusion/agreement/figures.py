"""The figures of agreement over some units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64, Bools
from fusion.agreement.compared import ABSENT, Compared
from fusion.agreement.measures import cohen_kappa, krippendorff_alpha


@dataclass(frozen=True, slots=True)
class Spread:
    """How large a difference is; NaN where there are no pairs.

    Attributes:
        median: of its amount.
        p95: the amount that 95 % of the pairs keep to.
        bias: the median with its sign: second less first.
    """

    median: float
    p95: float
    bias: float

    @classmethod
    def of(cls, values: F64) -> Spread:
        """Of signed differences, those that are NaN left out."""
        known = values[np.isfinite(values)]
        if len(known) == 0:
            return cls(np.nan, np.nan, np.nan)
        median, p95 = np.percentile(np.abs(known), (50, 95))
        return cls(float(median), float(p95), float(np.median(known)))


@dataclass(frozen=True, slots=True)
class Figures:
    """How two sets agree. A figure that nothing stands for is NaN.

    Attributes:
        a: boxes of the first set.
        b: boxes of the second.
        pairs: boxes that both have; of a class: that both give this class.
        same_class: pairs that both give the same class.
        f1: twice the pairs in the boxes of both: 1 where each box has a partner.
        f1_class: the same with the pairs of the same class only.
        a_found: share of the first set's boxes that the second has too: recall where the first is taken
            for the truth, precision where the second is.
        b_found: share of the second's that the first has too.
        mean_iou: over the pairs.
        offsets: how the second box of a pair differs from the first, by the names of `Offsets`.
        flips: share of the pairs that face more than a quarter turn apart.
        kappa: Cohen's, of the classes of pairs; of one class: this class against all others.
        alpha: Krippendorff's (nominal) over pairs and boxes alone, "absent" being a value like a class;
            of one class: this class against all else.
    """

    a: int
    b: int
    pairs: int
    same_class: int
    f1: float
    f1_class: float
    a_found: float
    b_found: float
    mean_iou: float
    offsets: Mapping[str, Spread]
    flips: float
    kappa: float
    alpha: float

    def as_dict(self) -> dict[str, object]:
        """For JSON: NaN becomes None."""
        plain = {name: _number(getattr(self, name)) for name in self.__slots__ if name != "offsets"}
        offsets = {
            name: {part: _number(getattr(spread, part)) for part in Spread.__slots__}
            for name, spread in self.offsets.items()
        }
        return {**plain, "offsets": offsets}


def figures(compared: Compared) -> Figures:
    """Of all units, whatever their classes."""
    units, same = compared.units, compared.class_a == compared.class_b
    ratings = np.stack([compared.class_a, compared.class_b]) + 1  # absent is a value, not a missing one
    return _figures(compared, units.a >= 0, units.b >= 0, units.paired & same, units.paired, ratings)


def figures_of_class(compared: Compared, code: int) -> Figures:
    """Of one class: what either calls so, against everything else."""
    here_a, here_b = compared.class_a == code, compared.class_b == code
    ratings = np.stack([here_a, here_b]).astype(np.int64)
    return _figures(compared, here_a, here_b, here_a & here_b, here_a & here_b, ratings)


def _figures(
    compared: Compared, in_a: Bools, in_b: Bools, same_class: Bools, pairs: Bools, ratings: I64
) -> Figures:
    """Of the units that each set has and those that count as pairs, out of all that are rated."""
    a, b, agreed, matched = (int(which.sum()) for which in (in_a, in_b, same_class, pairs))
    paired = compared.units.paired
    return Figures(
        a=a,
        b=b,
        pairs=matched,
        same_class=agreed,
        f1=_ratio(2 * matched, a + b),
        f1_class=_ratio(2 * agreed, a + b),
        a_found=_ratio(matched, a),
        b_found=_ratio(matched, b),
        mean_iou=float(compared.units.iou[pairs].mean()) if matched else np.nan,
        offsets={name: Spread.of(values[pairs]) for name, values in compared.offsets.by_name.items()},
        flips=_ratio(int(compared.offsets.flipped[pairs].sum()), matched),
        kappa=cohen_kappa(ratings[0, paired], ratings[1, paired]),
        alpha=krippendorff_alpha(ratings),
    )


def confusion(compared: Compared) -> dict[tuple[str | None, str | None], int]:
    """How often each pair of classes occurs, first and second; None where one has no box."""
    pairs, counts = np.unique(np.stack([compared.class_a, compared.class_b]), axis=1, return_counts=True)

    def name(code: int) -> str | None:
        return None if code == ABSENT else compared.classes[code]

    found = {
        (name(a), name(b)): int(count)
        for (a, b), count in zip(pairs.T.tolist(), counts.tolist(), strict=True)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else np.nan


def _number(value: float) -> float | None:
    return None if value != value else value
