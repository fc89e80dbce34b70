"""What `crosslabel info` shows of a recording beyond what it shows of every log: its topics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from formats.format import Format
    from fusion.log import DriveLog


def proposals(source: Format, path: Path, log_ids: list[str]) -> str:
    """The settings of recordings as YAML, one document each.

    Raises:
        FormatError: these are no recordings, or cannot be read.
    """
    from formats.errors import FormatError
    from formats.recording import RECORDING, propose

    if source is not RECORDING:
        raise FormatError(path, "", f"{source.title} has no settings that could be proposed: no recording")
    return "---\n".join(propose(path, log_id) for log_id in log_ids)


def topics(source: Format, path: Path, log: DriveLog) -> dict[str, Any]:
    """Topics of a recording with type, count and rate, and its settings; nothing for other formats."""
    from formats.recording import RECORDING, topics_of

    if source is not RECORDING:
        return {}
    contents = topics_of(path, log.name)
    seconds = (contents.end_ns - contents.start_ns) / 1e9
    rows = [
        {
            "topic": topic.name,
            "type": topic.coding.type,
            "messages": topic.count,
            "hz": round((topic.count - 1) / seconds, 2) if seconds > 0 and topic.count > 1 else None,
        }
        for topic in sorted(contents.topics.values(), key=lambda topic: topic.name)
    ]
    return {"topics": rows, "settings": log.metadata["settings"]}


def print_topics(console: Any, entry: dict[str, Any]) -> None:
    """The table of topics and the settings that were guessed."""
    from rich.table import Table

    if "topics" not in entry:
        return
    table = Table("topic", "type", "messages", "Hz")
    for row in entry["topics"]:
        table.add_row(row["topic"], row["type"], str(row["messages"]), str(row["hz"] or "-"))
    console.print(table)
    console.print(entry["settings"], highlight=False, markup=False, soft_wrap=True)
