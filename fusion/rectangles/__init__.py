"""How objects show in an image: the rectangle around each, how much is cut off, how much is hidden."""

from fusion.rectangles.show import Cloud, Rectangles, rectangles_in

__all__ = ["Cloud", "Rectangles", "rectangles_in"]
