"""The classes of a project: their names, colours, usual sizes and attributes, from a YAML file."""

from __future__ import annotations

import colorsys
import zlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from autolabel.settings import Settings
from formats.files import read_settings
from fusion.checks.schema import Asked, LabelSchema
from fusion.labels import LabelSet

Metres = Annotated[float, Field(gt=0, le=100)]
Channel = Annotated[int, Field(ge=0, le=255)]
KNOWN = {
    "car": (64, 160, 255),
    "truck": (255, 140, 60),
    "bus": (255, 210, 60),
    "pedestrian": (255, 80, 120),
    "cyclist": (90, 220, 130),
    "bicycle": (90, 220, 130),
    "motorcycle": (60, 220, 200),
}


class Attribute(Settings):
    """Something that is said of an object beside its box.

    Attributes:
        name: as it is stored.
        of: whether it belongs to the object as a whole, or to each box.
        values: what may be said; anything where there is no list.
        required: whether something must be said.
    """

    name: str
    of: Literal["track", "box"] = "box"
    values: tuple[str, ...] = ()
    required: bool = False


class Category(Settings):
    """One class.

    Attributes:
        name: as it is stored.
        colour: red, green, blue; one that its name gives where none is named.
        size_lwh_m: length, width and height of a usual one.
        attributes: what is said of its objects.
    """

    name: str
    colour: tuple[Channel, Channel, Channel] | None = None
    size_lwh_m: tuple[Metres, Metres, Metres] | None = None
    attributes: tuple[Attribute, ...] = ()


class Schema(Settings):
    """What may be labelled.

    Attributes:
        categories: in the order of menus and number keys.
    """

    categories: tuple[Category, ...]

    @classmethod
    def read(cls, path: Path) -> Schema:
        """From a YAML file.

        Raises:
            FormatError: it cannot be read, or says what is not known.
        """
        return read_settings(path, cls)

    @classmethod
    def of(cls, labels: LabelSet) -> Schema:
        """What labels use, the commonest first; the usual classes of traffic where there are none."""
        counts: dict[str, int] = {}
        for track in labels.tracks.values():
            counts[track.category] = counts.get(track.category, 0) + len(track.annotations)
        names = sorted(counts, key=lambda name: (-counts[name], name)) or list(KNOWN)[:5]
        return cls(categories=tuple(Category(name=name) for name in names))

    def category(self, name: str) -> Category:
        """One class; a plain one where the name is not known."""
        return next((c for c in self.categories if c.name == name), Category(name=name))

    @property
    def asked(self) -> LabelSchema:
        """What labels must say; an attribute that several classes have may have the values of all of them."""
        found: dict[str, Asked] = {}
        for category in self.categories:
            for one in category.attributes:
                if one.required:
                    known = found.get(one.name, Asked(of=one.of, values=one.values))
                    free = not one.values or not known.values
                    values = () if free else tuple(dict.fromkeys((*known.values, *one.values)))
                    found[one.name] = Asked(
                        of=known.of, classes=(*known.classes, category.name), values=values
                    )
        return LabelSchema(classes=tuple(c.name for c in self.categories), attributes=found)

    def colour(self, name: str) -> tuple[int, int, int]:
        """Red, green, blue of a class."""
        named = self.category(name).colour
        return named or KNOWN.get(name.lower()) or _colour_of(name)


def _colour_of(name: str) -> tuple[int, int, int]:
    """A bright colour that a name always gets."""
    hue = zlib.crc32(name.encode()) % 360 / 360
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
