"""Shares, and what they may be by chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, with what it may be by chance.

    Attributes:
        part: how many; a fraction where some are counted in proportion.
        whole: of how many.
    """

    part: float
    whole: float

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.part / self.whole if self.whole else np.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval (Wilson, 1927); all there is where nothing was counted."""
        if not self.whole:
            return 0.0, 1.0
        share, z2 = self.value, Z_95**2 / self.whole
        middle = (share + z2 / 2) / (1 + z2)
        half = Z_95 / (1 + z2) * float(np.sqrt(share * (1 - share) / self.whole + z2 / (4 * self.whole)))
        return max(middle - half, 0.0), min(middle + half, 1.0)

    def as_dict(self) -> dict[str, float | list[float] | None]:
        """For JSON."""
        low, high = self.interval
        value = self.value if self.whole else None
        return {"part": self.part, "whole": self.whole, "share": value, "interval_95": [low, high]}


def added(shares: Iterable[Share]) -> Share:
    """Parts and wholes of several together."""
    listed = list(shares)
    return Share(sum(share.part for share in listed), sum(share.whole for share in listed))
