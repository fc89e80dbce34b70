"""What a report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calib.types import U8, Floats

Level = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads to another page.

    Attributes:
        text: what is read.
        path: of the page, seen from this one; its parts are not escaped yet.
    """

    text: str
    path: str


Cell = str | int | float | Link


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went, in one sentence."""

    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a header; numbers are set to the right, in four digits.

    Raises:
        ValueError: a row has not as many cells as the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.header)} columns")


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """An image with a caption.

    Attributes:
        rgb: (H, W, 3) uint8.
        caption: what there is to see.
        photograph: stored as JPEG; drawings are stored without loss.
    """

    rgb: U8
    caption: str
    photograph: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures side by side: before and after."""

    before: Picture
    after: Picture


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """One line of a plot; gaps where y is not a number."""

    name: str
    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that lines are compared with."""

    name: str
    y: float


@dataclass(frozen=True, slots=True)
class Event:
    """A place on the x axis at which something happened."""

    name: str
    x: float


@dataclass(frozen=True, slots=True)
class LinePlot:
    """Lines over one axis, with limits across and events marked."""

    caption: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    limits: Sequence[Limit] = ()
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with the half length of its error bar."""

    name: str
    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class BarPlot:
    """Bars with their errors."""

    caption: str
    y_label: str
    bars: Sequence[Bar]
    limits: Sequence[Limit] = ()


Part = Verdict | Paragraph | Table | Picture | Pair | LinePlot | BarPlot


@dataclass(frozen=True, slots=True)
class Section:
    """Parts below a heading."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Report:
    """A page.

    Attributes:
        title: what was looked at.
        summary: the verdict, or a sentence where there is none to give.
        sections: what it rests on, the most important first.
        footer: what the page was made from: versions, settings.
    """

    title: str
    summary: Verdict | str
    sections: Sequence[Section]
    footer: str = ""
