"""What a batch leaves behind for people: a page over all its logs, and the order in which to review them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel.batch import Ended, Standing
    from scripts.report import Part, Report, Table

PAGE, QUEUE = "index.html", "queue.jsonl"
SEVERITIES = ("mandatory", "warning", "info")


def write_overview(out: Path, standing: Standing) -> None:
    """Writes OUT/index.html and OUT/queue.jsonl.

    Raises:
        FormatError: one of them cannot be written.
    """
    from formats.files import write_text
    from scripts.report import write_report

    lines = [json.dumps(line) for line in review_queue(standing)]
    write_text(out / QUEUE, "".join(f"{line}\n" for line in lines))
    write_report(out / PAGE, overview_of(out, standing))


def review_queue(standing: Standing) -> list[dict[str, Any]]:
    """The logs with something to look at, those first where a look is expected to save most time."""
    entries = [
        {
            "saved_s": _saved_s(one),  # first: a line that begins with a log is one of formats.jsonl
            "log": one.name,
            "path": one.told.get("path", ""),
            "format": one.told.get("format", ""),
            "labels": f"{one.name}/labels.db",
            "places": _checks(one).get("objects_to_look_at", 0),
        }
        for one in _labelled(standing)
        if _checks(one).get("objects_to_look_at", 0)
    ]
    return sorted(entries, key=lambda entry: (-entry["saved_s"], entry["log"]))


def overview_of(out: Path, standing: Standing) -> Report:
    """Failures, then the logs, those most worth a look first, then what is found and how fast it went."""
    from autolabel.runs import Outcome
    from scripts.batch_table import in_words
    from scripts.report import Paragraph, Report, Section, Table, Verdict

    labelled = _labelled(standing)
    bad = standing.failed or standing.left
    summary = Verdict("bad" if bad else "good", f"{in_words(standing)}.")
    failed = [Table(("log", "why"), [(one.name, one.reason) for one in standing.failed])]
    sections = [
        Section("Failed", failed if standing.failed else []),
        Section("Logs, the most worthwhile to look at first", [_logs(out, labelled)] if labelled else []),
        Section("What the checks find", _rules(labelled)),
        Section("How fast", _speed([one for one in labelled if one.outcome is Outcome.DONE])),
        Section("Not worked on", [Paragraph(f"{standing.left} logs: the same command goes on with them.")]
                if standing.left else []),
    ]  # fmt: skip
    return Report("A batch of logs", summary, [section for section in sections if section.parts])


def _labelled(standing: Standing) -> list[Ended]:
    from autolabel.runs import Outcome

    return [one for one in standing.ended.values() if one.outcome is not Outcome.FAILED]


def _logs(out: Path, labelled: Sequence[Ended]) -> Table:
    from scripts.report import Link, Table

    rows = []
    for one in sorted(labelled, key=lambda one: (-_saved_s(one), one.name)):
        counts, checks = one.told.get("counts", {}), _checks(one)
        found = checks.get("findings", {})
        page = Path(one.name) / "check.html"
        rows.append(
            (
                Link(one.name, page.as_posix()) if (out / page).is_file() else one.name,
                counts.get("frames", 0),
                counts.get("tracks", 0),
                counts.get("boxes", 0),
                counts.get("want_a_look", 0),
                *(found.get(name, 0) for name in SEVERITIES),
                checks.get("objects_to_look_at", 0),
                round(_saved_s(one) / 60, 1),
                round(one.told.get("timings_s", {}).get("wall", 0.0), 1),
                one.told.get("peak_memory_mb") or 0,
            )
        )
    header = (
        *("log", "frames", "objects", "boxes", "boxes in doubt", *SEVERITIES),
        *("places to look at", "minutes saved", "seconds", "MB"),
    )
    return Table(header, rows, "Work through them in this order: crosslabel view --queue queue.jsonl")


def _rules(labelled: Sequence[Ended]) -> list[Part]:
    from fusion.checks.rules import RULES
    from scripts.report import Table

    counts, logs = Counter[str](), Counter[str]()
    for one in labelled:
        by_rule = _checks(one).get("by_rule", {})
        counts.update(by_rule)
        logs.update(by_rule.keys())
    rows = [(rule.id, rule.title, counts[rule.id], logs[rule.id]) for rule in RULES if counts[rule.id]]
    return [Table(("rule", "finds", "findings", "in logs"), rows)] if rows else []


def _speed(done: Sequence[Ended]) -> list[Part]:
    """Where the time went, and the slowest logs."""
    from scripts.report import Bar, BarPlot, Table

    if not done:
        return []
    stages, frames = Counter[str](), 0
    for one in done:
        stages.update(one.told.get("stages_s", {}))
        frames += one.told.get("counts", {}).get("frames", 0)
    slowest = sorted(done, key=lambda one: -one.told.get("timings_s", {}).get("wall", 0.0))[:10]
    rows = [
        (one.name, one.told["counts"]["frames"], one.told["timings_s"]["wall"], one.told["timings_s"]["cpu"])
        for one in slowest
        if "counts" in one.told and "timings_s" in one.told
    ]
    bars = [Bar(name, 1e3 * spent_s / max(frames, 1)) for name, spent_s in stages.most_common()]
    parts: list[Part] = [BarPlot("Processor time by stage.", "ms a frame", bars)] if bars else []
    return [*parts, Table(("slowest logs", "frames", "seconds", "of a processor"), rows)]


def _checks(one: Ended) -> dict[str, Any]:
    found = one.told.get("checks")
    return found if isinstance(found, dict) else {}


def _saved_s(one: Ended) -> float:
    return float(_checks(one).get("saved_s", 0.0))
