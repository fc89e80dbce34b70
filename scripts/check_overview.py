"""The page over many logs behind `crosslabel check --report`: the worst first, and how they fare in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.report import Report


def overview_of(summaries: Sequence[dict[str, Any]], failed: Sequence[tuple[str, str]], pages: str) -> Report:
    """What `fusion.checks.told.summary` says of each log, side by side.

    Args:
        summaries: of the logs that were checked, in their order.
        failed: name and reason of those that could not be.
        pages: the folder in which each log has its own page.
    """
    from scripts.report import Link, Paragraph, Report, Section, Table, Verdict

    boxes = sum(one["boxes"] for one in summaries)
    told = Counter[str]()
    for one in summaries:
        told.update(one["findings"])
    words = ", ".join(f"{told[name]} {name}" for name in ("mandatory", "warning", "info"))
    summary = Verdict(
        "bad" if failed or told["mandatory"] else "warning" if told["warning"] else "good",
        f"{words} in {boxes} boxes of {len(summaries)} logs; {len(failed)} could not be checked.",
    )
    worst = sorted(summaries, key=lambda one: (-one["saved_s"], one["log"]))
    rows = [
        (
            Link(one["log"], f"{pages}/{one['log']}.html"),
            one["boxes"],
            one["tracks"],
            *(one["findings"].get(name, 0) for name in ("mandatory", "warning", "info")),
            one["objects_to_look_at"],
            round(one["saved_s"] / 60, 1),
        )
        for one in worst
    ]
    header = ("log", "boxes", "tracks", "mandatory", "warning", "info", "places to look at", "minutes saved")
    sections = [
        Section(
            "Logs, the most worthwhile first", [Table(header, rows, f"Each log's own page is in {pages}/.")]
        ),
        Section("In their order", _trends(summaries)),
        Section("What is found", [_rules(summaries)]),
        Section("Could not be checked", [Paragraph(f"{name}: {reason}") for name, reason in failed]),
    ]
    return Report("Labels of many logs", summary, [section for section in sections if section.parts])


def _trends(summaries: Sequence[dict[str, Any]]) -> list[Any]:
    """Findings per hundred boxes over the logs as they come, which mostly is the order of their making."""
    import numpy as np

    from scripts.report import LinePlot, Series

    if len(summaries) < 2:
        return []
    places = np.arange(1, len(summaries) + 1, dtype=np.float64)
    boxes = np.maximum([one["boxes"] for one in summaries], 1)
    series = [
        Series(name, places, 100 * np.array([one["findings"].get(name, 0) for one in summaries]) / boxes)
        for name in ("mandatory", "warning")
    ]
    return [LinePlot("Findings per hundred boxes.", "log", "findings", series)]


def _rules(summaries: Sequence[dict[str, Any]]) -> Any:
    from fusion.checks.rules import RULES
    from scripts.report import Table

    counts = Counter[str]()
    logs = Counter[str]()
    for one in summaries:
        counts.update(one["by_rule"])
        logs.update(one["by_rule"].keys())
    rows = [(rule.id, rule.title, counts[rule.id], logs[rule.id]) for rule in RULES if counts[rule.id]]
    return Table(("rule", "finds", "findings", "in logs"), rows)
