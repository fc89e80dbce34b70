"""A report as one HTML file: style and pictures inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from formats.files import write_text
from scripts.report.parts import BarPlot, Cell, LinePlot, Link, Picture, Report, Verdict
from scripts.report.plots import bar_png, line_png

JPEG_QUALITY = 88
WORDS = {"good": "Good", "warning": "Check", "bad": "Bad"}


def write_report(path: Path, report: Report) -> None:
    """Writes the page beside its place and renames it.

    Raises:
        FormatError: it cannot be written.
    """
    write_text(path, html_of(report))


def html_of(report: Report) -> str:
    """The page; whatever text comes from the outside is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(source=_source, kind=_kind, cell=_cell, number=_is_number)
    template = files("scripts.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    verdict = report.summary if isinstance(report.summary, Verdict) else None
    return environment.from_string(template).render(report=report, verdict=verdict, words=WORDS)


def _kind(part: object) -> str:
    return type(part).__name__


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str | Link)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        from markupsafe import Markup, escape

        return Markup(f'<a href="{escape(quote(cell.path))}">{escape(cell.text)}</a>')
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _source(part: Picture | LinePlot | BarPlot) -> str:
    """A picture or plot as the address that holds it whole."""
    if isinstance(part, LinePlot):
        return _data("png", line_png(part))
    if isinstance(part, BarPlot):
        return _data("png", bar_png(part))
    return _data("jpeg" if part.photograph else "png", _encoded(part))


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _encoded(picture: Picture) -> bytes:
    import cv2

    bgr = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2BGR)
    if picture.photograph:
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return cv2.imencode(".png", bgr)[1].tobytes()
