"""Logs whose data are read once: simulated sweeps are cast anew whenever they are read."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TypeVar

from fusion.log import DriveLog, ImageRef, SweepRef

Ref = TypeVar("Ref", SweepRef, ImageRef)


def in_memory(log: DriveLog) -> DriveLog:
    """The same log, which remembers all that was read of it."""
    return replace(log, sweeps=_remembered(log.sweeps), images=_remembered(log.images))


def _remembered(refs: Mapping[str, tuple[Ref, ...]]) -> dict[str, tuple[Ref, ...]]:
    return {
        name: tuple(replace(ref, load=cache(ref.load)) for ref in listed) for name, listed in refs.items()
    }
