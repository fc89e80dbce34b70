"""What is measured of every box before any rule judges it."""

from fusion.checks.facts.columns import Facts
from fusion.checks.facts.motion import Motion
from fusion.checks.facts.scans import Looks, Scanned, Watcher

__all__ = ["Facts", "Looks", "Motion", "Scanned", "Watcher"]
