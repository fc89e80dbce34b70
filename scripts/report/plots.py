"""Plots of a report as PNG, drawn without a screen."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scripts.report.parts import BarPlot, Limit, LinePlot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN, DOTS_PER_INCH = 8.0, 3.2, 150
# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6b6b6b")
MOST_LEVEL_NAMES = 8
LIMIT_COLOUR, EVENT_COLOUR = "#b3261e", "#5f6368"


def line_png(plot: LinePlot) -> bytes:
    """PNG of lines; one that is too short for a line becomes a dot."""
    figure, axes = _axes(plot.y_label)
    for number, series in enumerate(plot.series):
        colour = COLOURS[number % len(COLOURS)]
        marker = "o" if len(series.x) < 40 else None
        name = _plain(series.name)
        axes.plot(series.x, series.y, color=colour, marker=marker, markersize=3.5, linewidth=1.6, label=name)
    _draw_limits(axes, plot.limits)
    for event in plot.events:
        axes.axvline(event.x, color=EVENT_COLOUR, linewidth=1, linestyle=":")
        above = axes.get_xaxis_transform()
        label = axes.text(event.x, 1.0, _plain(event.name), transform=above, color=EVENT_COLOUR)
        label.set(ha="center", va="bottom")
    axes.set_xlabel(_plain(plot.x_label))
    if len(plot.series) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)
    return _png(figure)


def bar_png(plot: BarPlot) -> bytes:
    """PNG of bars with error bars."""
    figure, axes = _axes(plot.y_label)
    places = np.arange(len(plot.bars))
    values, errors = [bar.value for bar in plot.bars], [bar.error for bar in plot.bars]
    axes.bar(places, values, yerr=errors, color=COLOURS[0], width=0.6, capsize=4, ecolor="#202124")
    slant = 30 if len(plot.bars) > MOST_LEVEL_NAMES else 0
    axes.set_xticks(places, [_plain(bar.name) for bar in plot.bars], rotation=slant)
    axes.axhline(0, color="#202124", linewidth=0.8)
    _draw_limits(axes, plot.limits)
    return _png(figure)


def _axes(y_label: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e5e8", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_ylabel(_plain(y_label))
    return figure, axes


def _draw_limits(axes: Axes, limits: Sequence[Limit]) -> None:
    for limit in limits:
        axes.axhline(limit.y, color=LIMIT_COLOUR, linewidth=1.2, linestyle="--")
        along = axes.get_yaxis_transform()
        name = f"{_plain(limit.name)} "
        axes.text(1, limit.y, name, transform=along, ha="right", va="bottom", color=LIMIT_COLOUR)


def _plain(text: str) -> str:
    """Text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
