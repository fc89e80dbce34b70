"""Argoverse 2's sensor data set in its own layout of Feather tables (read)."""

from formats.argoverse2.read import ARGOVERSE2

__all__ = ["ARGOVERSE2"]
