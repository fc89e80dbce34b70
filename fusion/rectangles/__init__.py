"""How objects show in an image: the rectangle around each, how much is cut off, how much is hidden."""

from fusion.rectangles.show import Cloud, Rectangles, rectangles_in
from fusion.rectangles.shown import Shown, shown_at

__all__ = ["Cloud", "Rectangles", "Shown", "rectangles_in", "shown_at"]
