"""A report on the car's poses as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calib.types import F64
from fusion.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from autolabel.ego.report import EgoReport

BEFORE, AFTER, SCANS, MARKED = "#1f6fb4", "#e07b00", "#9a9a9a", "#c01f2e"


def draw(report: EgoReport, path: Path, repaired: Trajectory | None) -> None:
    """Four panels: metres and degrees off over time, drift over time, and the way from above."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7.5), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1.25, 1))
    seconds = (report.frames_ns - report.frames_ns[0]) / 1e9 if len(report.frames_ns) else np.zeros(0)
    top = figure.add_subplot(grid[0, 0])
    over_time = [top, *(figure.add_subplot(grid[row, 0], sharex=top) for row in (1, 2))]
    _residuals(over_time[0], seconds, report.off_m, report, "pose off, m", 0.1)
    _residuals(over_time[1], seconds, report.off_deg, report, "pose off, degrees", 0.5)
    _partings(over_time[2], seconds, report)
    over_time[2].set_xlabel("time, s")
    _from_above(figure.add_subplot(grid[:, 1]), report, repaired)
    figure.suptitle(f"{report.log}: {_title(report)}")
    figure.savefig(path, dpi=110)


def _title(report: EgoReport) -> str:
    if report.absent:
        return "no poses; the car's way is the LiDAR's"
    jumps, steps = int(report.jumps.sum()), int(report.steps.sum())
    said = [f"{jumps} poses jump"] if jumps else []
    said += [f"{steps} steps"] if steps else []
    said += [f"drift {report.drift_m_per_100m:.2f} m in 100 m"] if report.drift.drifts.any() else []
    return ", ".join(said) if said else "nothing to repair"


def _residuals(axes: Axes, seconds: F64, off: F64, report: EgoReport, label: str, least: float) -> None:
    sure, jumps = report.track.sure, report.jumps
    axes.plot(seconds, np.where(jumps, np.nan, off), color=BEFORE, lw=1)
    axes.plot(seconds[sure & ~jumps], off[sure & ~jumps], ".", color=BEFORE, ms=4, label="laid on scans")
    if (~sure).any():
        axes.plot(seconds[~sure], off[~sure], ".", color=SCANS, ms=5, label="no scan to say")
    if jumps.any():
        axes.plot(seconds[jumps], off[jumps], "x", color=MARKED, ms=8, mew=2, label="jump")
    for second in seconds[report.steps]:
        axes.axvline(second, color=MARKED, lw=1, ls="--")
    good = off[~jumps & np.isfinite(off)]
    top = max(
        float(good.max(initial=0.0)) * 3, float(np.nanmax(off, initial=0.0)) * 1.1 if jumps.any() else 0.0
    )
    axes.set_ylim(0, max(top, least))
    axes.set_ylabel(label)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, frameon=False)


def _partings(axes: Axes, seconds: F64, report: EgoReport) -> None:
    """How fast the poses part from the scans, a line for each stretch."""
    drift = report.drift
    rates = 100 * np.linalg.norm(drift.apart[:, 3:], axis=1) / np.maximum(drift.way_m, 1e-9)
    for wrong, color, label in ((False, BEFORE, None), (True, MARKED, "drifts")):
        own = drift.drifts == wrong
        starts_s, ends_s = seconds[drift.first[own]], seconds[drift.last[own]]
        axes.hlines(rates[own], starts_s, ends_s, color=color, lw=0.8, alpha=0.6)
        axes.plot(ends_s, rates[own], ".", color=color, ms=4, label=label)
    axes.set_ylim(0, max(0.5, 1.2 * float(rates.max(initial=0.0))))
    axes.set_ylabel("drift, m in 100 m")
    if drift.drifts.any():
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)


def _from_above(axes: Axes, report: EgoReport, repaired: Trajectory | None) -> None:
    """The way as given and as repaired, seen from its first pose."""
    if len(report.given) == 0:
        return
    first_from_world = report.given[0].inverse()
    before = first_from_world @ report.given.translations
    axes.plot(before[:, 0], before[:, 1], "-", color=BEFORE, lw=1.2, label="as given")
    if repaired is not None:
        places = repaired.at_many(report.frames_ns).translations
        after = first_from_world @ places
        axes.plot(after[:, 0], after[:, 1], ".-", color=AFTER, lw=1, ms=3, label="repaired")
    jumps = report.jumps
    if jumps.any():
        axes.plot(before[jumps, 0], before[jumps, 1], "x", color=MARKED, ms=8, mew=2, label="jump")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("ahead, m")
    axes.set_ylabel("left, m")
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=8)
