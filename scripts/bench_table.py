"""What `crosslabel bench` prints."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fusion.stages import REST
from scripts.bench_measure import ClipCost

# In the order in which they come; docs/performance.md says what each is.
STAGES = (
    *("open", "read", "ego check", "ground", "scans", "detect", "track", "points", "reconstruct"),
    *("confidence", "rectangles", "store", "check"),
)
# 10,000 clips in twelve hours on two cores.
GOAL_S, GOAL_SECONDS, GOAL_POINTS = 2 * 12 * 3600 / 10_000, 20.0, 120_000
SECONDS_AN_HOUR = 3600.0


def record(costs: list[ClipCost], workers: int) -> dict[str, Any]:
    """All that was measured."""
    mean_s = mean_stages_s(costs)
    whole_s = _mean([cost.whole_s for cost in costs])
    return {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "workers": workers,
        "core_s_a_clip": round(whole_s, 3),
        "clips_an_hour_and_core": round(SECONDS_AN_HOUR / whole_s, 1),
        "read_alone_s": round(_mean([cost.read_s for cost in costs]), 3),
        "stages_s": {name: round(seconds, 3) for name, seconds in mean_s.items()},
        "clips": [asdict(cost) for cost in costs],
    }


def mean_stages_s(costs: list[ClipCost]) -> dict[str, float]:
    """Core-seconds of a clip by stage, in the order in which they come."""
    there = {name for cost in costs for name in cost.stages_s}
    names = [name for name in STAGES if name in there]
    names += sorted(there - {*STAGES, REST})
    mean_s = {name: _mean([cost.stages_s.get(name, 0.0) for cost in costs]) for name in names}
    # Threads of libraries too, which no stage books.
    return {**mean_s, REST: _mean([cost.whole_s for cost in costs]) - sum(mean_s.values())}


def print_bench(costs: list[ClipCost], workers: int) -> None:
    """A table of the stages, and what it is to be held against."""
    from rich.console import Console

    from scripts.tables import print_table, say

    console = Console(soft_wrap=True)
    header = ("stage", "ms a sweep", "core-s a clip", "clips an hour and core", "share")
    print_table(console, _title(costs), header, _rows(costs))
    for line in _lines(costs, workers):
        say(console, line)


def _rows(costs: list[ClipCost]) -> list[tuple[str, ...]]:
    whole_s = _mean([cost.whole_s for cost in costs])
    sweeps = _mean([cost.sweeps for cost in costs])

    def row(name: str, seconds: float) -> tuple[str, ...]:
        an_hour = f"{SECONDS_AN_HOUR / seconds:,.0f}" if seconds > 1e-3 else "-"
        share = f"{100 * seconds / whole_s:.0f} %"
        return name, f"{1e3 * seconds / sweeps:.2f}", f"{seconds:.2f}", an_hour, share

    rows = [row(name, seconds) for name, seconds in mean_stages_s(costs).items()]
    rows.append(row("all", whole_s))
    rows.append(row("reading alone", _mean([cost.read_s for cost in costs])))
    return rows


def _title(costs: list[ClipCost]) -> str:
    sweeps = sum(cost.sweeps for cost in costs)
    points = sum(cost.points for cost in costs) / sweeps
    return f"{len(costs)} clips, {sweeps:,} sweeps of {points:,.0f} points on the average"


def _lines(costs: list[ClipCost], workers: int) -> list[str]:
    whole_s = [cost.whole_s for cost in costs]
    boxes = sum(cost.boxes for cost in costs) / sum(cost.sweeps for cost in costs)
    peaks = [cost.peak_mb for cost in costs if cost.peak_mb is not None]
    peak = f"; at most {max(peaks)} MB of memory" if peaks else ""
    lines = [
        f"a clip: {_mean(whole_s):.2f} core-seconds ({min(whole_s):.2f} to {max(whole_s):.2f}), "
        f"{_mean([cost.wall_s for cost in costs]):.2f} s by the clock with {workers} at a time{peak}",
        f"found in it: {_mean([cost.tracks for cost in costs]):.0f} objects, {boxes:.0f} boxes a sweep, "
        f"{_mean([cost.findings for cost in costs]):.0f} findings",
        f"on {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
    ]
    return [*lines, *_goal(costs)]


def _goal(costs: list[ClipCost]) -> list[str]:
    """Whether 10,000 clips take twelve hours on two cores; said of clips as large as those only."""
    sweeps = costs[0].sweeps
    points = costs[0].points / sweeps
    if sweeps < GOAL_SECONDS * 10 or points < 0.95 * GOAL_POINTS:
        return []
    mean_s = _mean([cost.whole_s for cost in costs])
    hours = mean_s * 10_000 / 2 / SECONDS_AN_HOUR
    met = "met" if mean_s <= GOAL_S else "missed"
    return [
        f"10,000 such clips on two such cores: {hours:.1f} hours (goal 12 hours, "
        f"{GOAL_S:.2f} core-seconds a clip: {met})"
    ]


def processor() -> str:
    """Its name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
