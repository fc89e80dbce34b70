"""Whether things are made anew: only if they would be made of other things."""

from __future__ import annotations

from collections.abc import Sequence


def same(one: Sequence[object], other: Sequence[object]) -> bool:
    """Whether two sequences hold the very same things."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
