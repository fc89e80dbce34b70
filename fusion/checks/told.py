"""What a check says of a log, as numbers and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fusion.checks.check import Checked
from fusion.checks.finding import Finding
from fusion.checks.queue import Item
from fusion.checks.statistics import Statistics
from fusion.log import DriveLog


def summary(log: DriveLog, checked: Checked, items: Sequence[Item]) -> dict[str, Any]:
    """How a log fares, in numbers."""
    by_severity = Counter(one.severity.value for one in checked.findings)
    boxes = len(checked.facts)
    return {
        "log": log.name,
        "tracks": len(checked.facts.tracks),
        "boxes": boxes,
        "objects_to_look_at": len(items),
        "findings": dict(sorted(by_severity.items())),
        "by_rule": dict(sorted(Counter(one.rule for one in checked.findings).items())),
        "accepted": len(checked.accepted),
        "saved_s": round(sum(max(item.saved_s, 0.0) for item in items), 1),
        "skipped": dict(checked.skipped),
    }


def as_json(log: DriveLog, checked: Checked, items: Sequence[Item]) -> dict[str, Any]:
    """All of it."""
    return {
        **summary(log, checked, items),
        "queue": [
            {
                "track": item.track_id,
                "severity": item.severity.value,
                "chance": round(item.chance, 3),
                "saved_s": round(item.saved_s, 1),
                "findings": [_finding(log, one) for one in item.findings],
            }
            for item in items
        ],
        "statistics": asdict(Statistics.of(checked.facts)),
    }


def _finding(log: DriveLog, one: Finding) -> dict[str, Any]:
    said = {
        "id": one.id,
        "rule": one.rule,
        "severity": one.severity.value,
        "words": one.words,
        "track": one.track_id,
        "other": one.other_id,
        "camera": one.camera,
        "place_ego_m": None if one.place is None else [round(v, 3) for v in one.place],
        "timestamps_ns": list(one.timestamps_ns),
        "frames": frames_of(log, one.timestamps_ns),
        "value": one.value,
        "limit": one.limit,
        "chance": one.chance,
        "repair_s": one.repair_s,
        "fix": None if one.fix is None else one.fix.title,
    }
    return {name: value for name, value in said.items() if value not in (None, [])}


def frames_of(log: DriveLog, timestamps_ns: Sequence[int]) -> list[int]:
    """The numbers of the frames at some instants; instants that are no frames are left out."""
    return [int(frame) for frame in log.frames_at(timestamps_ns) if frame >= 0]
