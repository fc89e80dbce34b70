"""The page of `crosslabel agree`: figures, objects and frames to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.agree_tables import (
    BIAS_TITLES,
    FIGURE_TITLES,
    LEGEND,
    TRACK_TITLES,
    bias_rows,
    class_rows,
    figure_rows,
    frame_name,
    identity_line,
    summary,
    track_rows,
)
from scripts.report import Paragraph, Part, Picture, Report, Section, Table

if TYPE_CHECKING:
    from calib.types import Floats
    from fusion.agreement import Agreement
    from fusion.agreement.worst import WorstFrame
    from fusion.log import DriveLog
    from scripts.label_pairs import Opened

PICTURES, MOST_TRACKS = 6, 40


def page(opened: Opened, result: Agreement) -> Report:
    """The whole report."""
    first, second = opened.given
    bias = "The second less the first, median over the pairs, along the axes of the first's boxes."
    sections = [
        Section("Agreement", [Table(FIGURE_TITLES, figure_rows(result), LEGEND)]),
        Section("Which way they differ", [Table(BIAS_TITLES, bias_rows(result), bias)]),
        Section("Tracks", [Paragraph(identity_line(result)), *_tracks(opened, result)]),
    ]
    others = class_rows(result)
    if others:
        sections.insert(2, Section("Classes", [Table(("A", "B", "boxes"), others)]))
    pictures = _pictures(opened, result)
    if pictures:
        sections.append(Section("Frames to look at first", pictures))
    names = (
        f"A: {first.name} ({first.author or 'no author'}), B: {second.name} ({second.author or 'no author'})"
    )
    return Report(f"Agreement on {opened.log_name}", f"{summary(opened, result)} {names}.", sections)


def _tracks(opened: Opened, result: Agreement) -> list[Part]:
    rows = track_rows(opened, result, MOST_TRACKS)
    caption = (
        "Objects to look at first. Worst: where they differ most. Then boxes that both have or one has, "
        "pairs of another class, facing the other way, or of tracks that are not each other's partners."
    )
    return [Table(TRACK_TITLES, rows, caption)] if rows else []


def _pictures(opened: Opened, result: Agreement) -> list[Part]:
    from fusion.agreement.pictures import top_view

    worst = [frame for frame in result.frames_worst_first if frame.counts.cost > 0][:PICTURES]
    return [
        Picture(
            top_view(result.compared, frame.timestamp_ns, _points(opened.log, frame.timestamp_ns)),
            _caption(opened, frame),
            photograph=False,
        )
        for frame in worst
    ]


def _points(log: DriveLog | None, frame_ns: int) -> Floats:
    from fusion.agreement.pictures import NO_POINTS
    from fusion.align import points_in_ego, read_deskewed

    ref = None if log is None else log.sweep_at(frame_ns)
    return NO_POINTS if log is None or ref is None else points_in_ego(log, read_deskewed(log, ref))


def _caption(opened: Opened, frame: WorstFrame) -> str:
    counts = frame.counts
    said = [
        f"{count} {words}"
        for count, words in (
            (counts.only_a, "only in A"),
            (counts.only_b, "only in B"),
            (counts.other_class, "of another class"),
            (counts.flipped, "facing the other way"),
            (counts.astray, "of tracks that are no partners"),
        )
        if count
    ]
    place = frame_name(opened, frame.timestamp_ns)
    told = ", ".join(said) or f"mean IoU {counts.mean_iou:.2f}"
    return f"{place}: A blue, B orange; {counts.pairs} boxes in both, {told}."
