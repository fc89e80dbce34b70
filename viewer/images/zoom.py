"""Which part of an image a panel shows, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from viewer.images.sights import Rectangle
from viewer.scene.views import Size

LARGEST, CLOSEST, STEP = 40.0, 6.0, 1.25
RESTS_OFF, RESTS_SCALE = 0.12, 1.3

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Zoom:
    """A part of an image.

    Attributes:
        center_px: the pixel of the image that is in the middle of the panel.
        scale: pixels of the panel for each of the image.
    """

    center_px: Place
    scale: float

    @classmethod
    def fitting(cls, image: Size, panel: Size) -> Zoom:
        """All of an image, as large as fits."""
        scale = min(panel.width_px / image.width_px, panel.height_px / image.height_px)
        return cls(((image.width_px - 1) / 2, (image.height_px - 1) / 2), scale)

    @classmethod
    def onto(cls, ltrb_px: Rectangle, panel: Size, room: float) -> Zoom:
        """A rectangle with room around it, a share of its larger side."""
        left, top, right, bottom = ltrb_px
        around = 2 * room * max(right - left, bottom - top) + 8
        scale = min(panel.width_px / (right - left + around), panel.height_px / (bottom - top + around))
        return cls(((left + right) / 2, (top + bottom) / 2), min(scale, CLOSEST))

    def to_panel(self, uv_px: Place, panel: Size) -> Place:
        """Where a pixel of the image is in the panel."""
        x = (uv_px[0] - self.center_px[0]) * self.scale + panel.width_px / 2
        y = (uv_px[1] - self.center_px[1]) * self.scale + panel.height_px / 2
        return x, y

    def to_image(self, xy_px: Place, panel: Size) -> Place:
        """Which pixel of the image a place in the panel shows."""
        u = (xy_px[0] - panel.width_px / 2) / self.scale + self.center_px[0]
        v = (xy_px[1] - panel.height_px / 2) / self.scale + self.center_px[1]
        return u, v

    def is_near(self, other: Zoom, panel: Size) -> bool:
        """Whether one would hardly see more or less of a thing with another."""
        x, y = self.to_panel(other.center_px, panel)
        off = max(abs(x / panel.width_px - 0.5), abs(y / panel.height_px - 0.5))
        return off < RESTS_OFF and max(self.scale / other.scale, other.scale / self.scale) < RESTS_SCALE

    def zoomed(self, steps: float, xy_px: Place, panel: Size) -> Zoom:
        """Nearer with positive steps; what a place in the panel shows stays there."""
        scale = min(self.scale * STEP**steps, LARGEST)
        u, v = self.to_image(xy_px, panel)
        there = replace(self, scale=scale).to_image(xy_px, panel)
        return Zoom((self.center_px[0] + u - there[0], self.center_px[1] + v - there[1]), scale)

    def shifted(self, dx_px: float, dy_px: float) -> Zoom:
        """After a drag that moves the image along."""
        u, v = self.center_px
        return replace(self, center_px=(u - dx_px / self.scale, v - dy_px / self.scale))

    def visible(self, image: Size, panel: Size) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the pixels of the image that the panel shows; the last two are out."""
        low = np.floor(np.array(self.to_image((0, 0), panel)) + 0.5)
        high = np.ceil(np.array(self.to_image((panel.width_px, panel.height_px), panel)) + 0.5)
        end = [image.width_px, image.height_px]
        left, top = np.clip(low, 0, np.array(end) - 1).astype(int)
        right, bottom = np.clip(high, np.array([left, top]) + 1, end).astype(int)
        return int(left), int(top), int(right), int(bottom)
