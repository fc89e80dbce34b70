"""Rectangles around every object in every image, each at the image's own instant."""

from autolabel.images.rectangles import image_boxes

__all__ = ["image_boxes"]
