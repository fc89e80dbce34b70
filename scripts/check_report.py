"""The page behind `crosslabel check --report`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calib.types import F32
    from fusion.boxes import Box3D
    from fusion.checks.check import Checked
    from fusion.checks.pictures import Spot
    from fusion.checks.queue import Item
    from fusion.log import DriveLog
    from scripts.report import Part, Report

MOST_ROWS = 300


def report_of(log: DriveLog, checked: Checked, items: Sequence[Item], most: int) -> Report:
    """What is worth a look, with pictures of the first, then all, then what the labels are made of."""
    from fusion.checks import Severity
    from scripts.report import Paragraph, Report, Section, Table, Verdict

    counts = Counter(one.severity for one in checked.findings)
    told = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity)
    summary = Verdict(
        "bad" if counts[Severity.MANDATORY] else "warning" if counts[Severity.WARNING] else "good",
        f"{told}: {len(items)} places to look at, in {len(checked.facts)} boxes "
        f"of {len(checked.facts.tracks)} tracks.",
    )
    names = {track.id: track.category for track in checked.facts.tracks}
    rows = [
        (place, item.severity.value, _rules(item), _what(item, names), _frame(log, item), item.words)
        for place, item in enumerate(items[:MOST_ROWS], start=1)
    ]
    header = ("", "severity", "rules", "what", "frame", "says")
    skipped = [Paragraph(f"{id} was not asked: {reason}.") for id, reason in checked.skipped.items()]
    sections = [
        Section("Worth a look, the most worthwhile first", [Table(header, rows)]) if rows else None,
        Section("Looked at closely", list(_pictures(log, checked, items[:most], names))),
        Section("What the labels are made of", _statistics(checked)),
        Section("Rules", [_rules_table(checked), *skipped]),
    ]
    return Report(f"Labels of {log.name}", summary, [s for s in sections if s is not None and s.parts])


def _rules(item: Item) -> str:
    return " ".join(dict.fromkeys(one.rule for one in item.findings))


def _what(item: Item, names: dict[str, str]) -> str:
    if item.track_id is not None:
        return f"{names.get(item.track_id, '')} {item.track_id}"
    first = item.findings[0]
    if first.camera is not None:
        return first.camera
    return "" if first.place is None else f"({first.place[0]:.0f}, {first.place[1]:.0f}) m"


def _frame(log: DriveLog, item: Item) -> str:
    from fusion.checks.told import frames_of

    frames = frames_of(log, item.timestamps_ns[:1])
    return str(frames[0]) if frames else ""


def _pictures(
    log: DriveLog, checked: Checked, items: Sequence[Item], names: dict[str, str]
) -> Iterator[Part]:
    """Pictures of items, those of one frame together so that each sweep is read once."""
    from scripts.report import Pair, Paragraph

    spots = {number: spot for number, item in enumerate(items) if (spot := _spot(checked, item)) is not None}
    made: dict[int, list[Part]] = {}
    for timestamp_ns in sorted({spot.timestamp_ns for spot in spots.values()}):
        points = _points(log, timestamp_ns)
        for number, spot in spots.items():
            if spot.timestamp_ns == timestamp_ns:
                made[number] = _of_spot(log, checked, spot, points)
    for number, item in enumerate(items):
        if number in made:
            yield Paragraph(
                f"{number + 1}. {_what(item, names)}, frame {_frame(log, item)} "
                f"({_rules(item)}): {item.words}"
            )
            pictures = made[number]
            yield from pictures if len(pictures) < 2 else [Pair(pictures[0], pictures[1]), *pictures[2:]]  # type: ignore[arg-type]


def _of_spot(log: DriveLog, checked: Checked, spot: Spot, points: F32) -> list[Part]:
    from fusion.checks.pictures import close_up, in_image
    from scripts.report import Picture

    labels = checked.facts.labels
    pictures: list[Part] = [
        Picture(close_up(points, labels, spot), "From above, its front to the right.", False)
    ]
    shown = in_image(log, labels, spot)
    if shown is not None:
        pictures.append(Picture(shown[1], f"{shown[0]}."))
    else:
        pictures.append(Picture(close_up(points, labels, spot, side=True), "From its side.", False))
    return pictures


def _spot(checked: Checked, item: Item) -> Spot | None:
    """Where to look: the first box that a finding names; a small box about a place without one."""
    from fusion.boxes import Box3D
    from fusion.checks.pictures import Spot

    labels = checked.facts.labels
    track = labels.tracks.get(item.track_id or "")
    for timestamp_ns in item.timestamps_ns:
        if track is not None and timestamp_ns in track.annotations:
            return Spot(timestamp_ns, track.annotations[timestamp_ns].box, track.id)
    first = item.findings[0]
    if first.place is not None and first.timestamps_ns:
        box = _proposed(item) or Box3D.upright(first.place, (2.0, 2.0, 2.0), 0.0)
        return Spot(first.timestamps_ns[0], box, None)
    return None


def _proposed(item: Item) -> Box3D | None:
    """The box that the repair of a missing object would put first."""
    from fusion.edits import PutTrack

    first = item.findings[0]
    if not isinstance(first.fix, PutTrack):
        return None
    annotation = first.fix.track.annotations.get(first.timestamps_ns[0])
    return None if annotation is None else annotation.box


def _points(log: DriveLog, timestamp_ns: int) -> F32:
    import numpy as np

    from fusion.align import points_in_ego, read_deskewed

    refs = [log.sweep_at(timestamp_ns, lidar) for lidar in log.rig.lidars]
    clouds = [points_in_ego(log, read_deskewed(log, ref)) for ref in refs if ref is not None]
    return np.concatenate([*clouds, np.zeros((0, 3), np.float32)])


def _statistics(checked: Checked) -> list[Part]:
    from fusion.checks.statistics import Statistics
    from scripts.report import Bar, BarPlot, Paragraph, Table

    told = Statistics.of(checked.facts)
    made = ", ".join(f"{count} {name}" for name, count in told.sources.items())
    parts: list[Part] = [
        Paragraph(
            f"{told.boxes} boxes ({made}; {told.locked} confirmed) "
            f"in {told.labelled_frames} of {told.frames} frames."
        ),
        Table(
            ("class", "objects", "boxes", "length m", "width m", "height m"),
            [
                (one.category, one.tracks, one.boxes, *(round(v, 2) for v in one.size_lwh_m))
                for one in told.classes
            ],
            "Classes, with their median sizes.",
        ),
    ]
    for caption, counts in (
        ("Boxes by distance from the car in metres.", told.by_distance),
        ("Boxes by points in them.", told.by_points),
        ("Tracks by length in frames.", told.by_length),
    ):
        if counts:
            parts.append(BarPlot(caption, "", [Bar(name, count) for name, count in counts]))
    if told.thin:
        parts.append(Paragraph(f"Few objects: {'; '.join(told.thin)}."))
    return parts


def _rules_table(checked: Checked) -> Part:
    from fusion.checks.rules import RULES
    from scripts.report import Table

    counts = Counter(one.rule for one in checked.findings)
    rows = [
        (rule.id, rule.title, rule.severity.value, counts[rule.id], " ".join(rule.why.split()))
        for rule in RULES
    ]
    return Table(("rule", "finds", "severity", "findings", "when"), rows)
