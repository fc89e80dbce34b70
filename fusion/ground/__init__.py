"""The height of the ground around the car."""

from fusion.ground.surface import Ground

__all__ = ["Ground"]
