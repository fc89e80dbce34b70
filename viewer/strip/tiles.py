"""Many pictures of one shape side by side, as large as they can be."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.scene.views import Size


@dataclass(frozen=True, slots=True)
class Tiles:
    """Rows of pictures that fill a place.

    Attributes:
        columns: in a row.
        rows: one above the other.
        size: of each picture.
    """

    columns: int
    rows: int
    size: Size

    @classmethod
    def filling(cls, place: Size, count: int, across: float, up: float) -> Tiles:
        """In as many rows as make things of a shape, `across` wide and `up` high, largest."""

        def scale(rows: int) -> float:
            columns = -(-count // rows)
            return min(place.width_px / columns / across, place.height_px / rows / up)

        rows = max(range(1, count + 1), key=scale)
        columns = -(-count // rows)
        return cls(columns, rows, Size(place.width_px / columns, place.height_px / rows))

    def corner(self, number: int) -> tuple[float, float]:
        """The upper left corner of a picture."""
        row, column = divmod(number, self.columns)
        return column * self.size.width_px, row * self.size.height_px

    def at(self, uv_px: tuple[float, float]) -> int | None:
        """The picture under a pixel."""
        column = int(uv_px[0] // self.size.width_px)
        row = int(uv_px[1] // self.size.height_px)
        inside = 0 <= column < self.columns and 0 <= row < self.rows
        return row * self.columns + column if inside else None
