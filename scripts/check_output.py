"""What a check says, on a screen and in files."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.checks.check import Checked
    from fusion.checks.queue import Item
    from fusion.log import DriveLog

COLUMNS = (
    "log",
    "place",
    "saved_s",
    "rule",
    "severity",
    "track",
    "class",
    "frame",
    "frames",
    "camera",
    "words",
)
MORE = ("value", "limit", "chance", "repair_s", "other", "fix", "id")


def table(log: DriveLog, checked: Checked, items: Sequence[Item]) -> str:
    """One row a finding, as CSV, in the order of the queue."""
    from fusion.checks.told import frames_of

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *MORE))
    names = {track.id: track.category for track in checked.facts.tracks}
    for place, item in enumerate(items, start=1):
        for one in item.findings:
            frames = frames_of(log, one.timestamps_ns)
            writer.writerow(
                (
                    log.name, place, round(item.saved_s, 1), one.rule, one.severity.value,
                    _plain(one.track_id), _plain(names.get(one.track_id or "", "")),
                    frames[0] if frames else "", len(frames), one.camera or "", _plain(one.words),
                    one.value, one.limit, one.chance, one.repair_s, _plain(one.other_id),
                    "" if one.fix is None else _plain(one.fix.title), one.id,
                )
            )  # fmt: skip
    return text.getvalue()


def _plain(text: str | None) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = text or ""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def write_files(page: Path, log: DriveLog, checked: Checked, items: Sequence[Item], most: int) -> None:
    """The page, and the same as CSV and JSON beside it.

    Raises:
        FormatError: one of them cannot be written.
    """
    from formats.files import write_text
    from fusion.checks.told import as_json
    from scripts.check_report import report_of
    from scripts.report import write_report

    page.parent.mkdir(parents=True, exist_ok=True)
    write_report(page, report_of(log, checked, items, most))
    write_text(page.with_suffix(".csv"), table(log, checked, items))
    write_text(page.with_suffix(".json"), json.dumps(as_json(log, checked, items), indent=1) + "\n")


def print_findings(log: DriveLog, checked: Checked, items: Sequence[Item], most: int) -> None:
    """The beginning of the queue, and what was not asked."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from fusion.checks import Severity
    from fusion.checks.told import frames_of

    console = Console(width=None if Console().is_terminal else 130)
    counts = Counter(one.severity for one in checked.findings)
    told = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity)
    console.print(
        f"{escape(log.name)}: {len(checked.facts)} boxes of {len(checked.facts.tracks)} tracks: {told}"
        f"{f'; {len(checked.accepted)} accepted before' if checked.accepted else ''}",
        highlight=False,
    )
    listed = Table(box=None, pad_edge=False)
    for title in ("", "rule", "what", "frame", "says"):
        listed.add_column(title, no_wrap=title in ("rule", "frame"))
    names = {track.id: track.category for track in checked.facts.tracks}
    for item in items[:most]:
        first = item.findings[0]
        frames = frames_of(log, item.timestamps_ns)
        what = f"{names.get(item.track_id, '')} {item.track_id}" if item.track_id else first.camera or "place"
        rules = " ".join(dict.fromkeys(one.rule for one in item.findings))
        cells = (item.severity.value, rules, what, str(frames[0]) if frames else "", item.words)
        listed.add_row(*(escape(cell) for cell in cells))
    if items:
        console.print(listed, highlight=False)
    if len(items) > most:
        console.print(f"... and {len(items) - most} more: see --report or --json", highlight=False)
    by_reason: dict[str, list[str]] = {}
    for id, reason in checked.skipped.items():
        by_reason.setdefault(reason, []).append(id)
    for reason, ids in by_reason.items():
        console.print(f"not asked: {', '.join(ids)}: {reason}", highlight=False, style="dim")
