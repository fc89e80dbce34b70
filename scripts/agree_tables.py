"""What `crosslabel agree` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.agreement import Agreement
    from fusion.agreement.figures import Figures
    from scripts.label_pairs import Opened

MOST_LINES = 10
FIGURE_TITLES = (
    *("", "A", "B", "pairs", "F1", "A in B", "B in A", "IoU"),
    *("centre m", "size m", "yaw deg", "flips", "kappa", "alpha"),
)
BIAS_TITLES = ("", "along m", "across m", "up m", "length m", "width m", "height m", "yaw deg")
TRACK_TITLES = (
    "A",
    "B",
    "class",
    "worst",
    "both",
    "only A",
    "only B",
    "other class",
    "flipped",
    "astray",
    "IoU",
)
LEGEND = (
    "A in B: share of A's boxes that B has too. centre, size, yaw: median / 95 % of pairs. "
    "kappa: classes of pairs. alpha: pairs and boxes alone, absent being a value; with one class alone it "
    "is near 0 however good the labels are, as nobody can agree on what both leave out."
)


def as_dict(opened: Opened, result: Agreement) -> dict[str, Any]:
    """For JSON."""
    from dataclasses import asdict

    from scripts.label_pairs import size_of

    frame_of = frame_numbers(opened)
    return {
        "log": opened.log_name,
        **{
            letter: {**dict(one.as_dict()), **size_of(one.labels)}
            for letter, one in zip("ab", opened.given, strict=True)
        },
        "frames": result.frames,
        "classes_by": result.classes,
        "overall": result.overall.as_dict(),
        "by_class": {name: one.as_dict() for name, one in result.by_class.items()},
        "by_band": {name: one.as_dict() for name, one in result.by_band.items()},
        "confusion": [{"a": a, "b": b, "count": count} for (a, b), count in result.confusion.items()],
        "identity": result.identity.as_dict(),
        "worst_tracks": [
            {**asdict(one), "counts": one.counts.as_dict(), "frame": frame_of.get(one.worst_ns)}
            for one in result.tracks
        ],
        "worst_frames": [
            {
                "timestamp_ns": one.timestamp_ns,
                "frame": frame_of.get(one.timestamp_ns),
                "counts": one.counts.as_dict(),
            }
            for one in result.frames_worst_first
        ],
    }


def frame_numbers(opened: Opened) -> dict[int, int]:
    """The number of each frame; none where there is no log to count in."""
    if opened.log is None:
        return {}
    return {t: number for number, t in enumerate(opened.log.timestamps_ns.tolist())}


def frame_name(opened: Opened, timestamp_ns: int) -> str:
    """The number of a frame, or its timestamp where there is no log to count in."""
    number = frame_numbers(opened).get(timestamp_ns)
    return f"{timestamp_ns} ns" if number is None else f"frame {number}"


def summary(opened: Opened, result: Agreement) -> str:
    """How it went, in a sentence or two."""
    first, second = opened.given
    over = result.overall
    if not over.a and not over.b:
        return f"Neither {first.name} nor {second.name} has a box in the frames compared."
    for one, count in ((first, over.a), (second, over.b)):
        if not count:
            return f"{one.name} has no box in the frames compared, the other has {over.a + over.b}."
    return (
        f"{over.pairs} of {over.a} boxes of A and {over.b} of B are the same object (F1 {over.f1:.3f}), "
        f"{over.same_class} of them of the same class; over {result.frames} frames."
    )


def figure_rows(result: Agreement) -> list[tuple[str, ...]]:
    """All together, by distance, by class."""
    return [_figure_row(name, one) for name, one in _rows(result)]


def bias_rows(result: Agreement) -> list[tuple[str, ...]]:
    """Which way the second set differs: the median with its sign."""
    names = ("along_m", "across_m", "up_m", "length_m", "width_m", "height_m")
    return [
        (
            name,
            *(_number(one.offsets[part].bias, "+.3f") for part in names),
            _number(math.degrees(one.offsets["yaw_rad"].bias), "+.2f"),
        )
        for name, one in _rows(result)
    ]


def _rows(result: Agreement) -> Iterator[tuple[str, Figures]]:
    yield "all", result.overall
    yield from ((name, one) for name, one in result.by_band.items() if one.a or one.b)
    yield from result.by_class.items()


def _figure_row(name: str, one: Figures) -> tuple[str, ...]:
    offsets = one.offsets
    sizes = [offsets[part] for part in ("length_m", "width_m", "height_m")]
    yaw = offsets["yaw_rad"]
    largest = max((size.median for size in sizes), default=math.nan), max(size.p95 for size in sizes)
    return (
        *(name, str(one.a), str(one.b), str(one.pairs)),
        *(_number(value) for value in (one.f1, one.a_found, one.b_found, one.mean_iou)),
        _both(offsets["center_m"].median, offsets["center_m"].p95, ".2f"),
        _both(*largest, ".2f"),
        _both(math.degrees(yaw.median), math.degrees(yaw.p95), ".1f"),
        *(_number(value) for value in (one.flips, one.kappa, one.alpha)),
    )


def track_rows(opened: Opened, result: Agreement, most: int = MOST_LINES) -> list[tuple[str, ...]]:
    """The objects on which the sets differ most."""
    return [
        (
            *("-" if id is None else id for id in (one.a_id, one.b_id)),
            *(one.category, frame_name(opened, one.worst_ns), str(one.counts.pairs)),
            *(str(one.counts.only_a), str(one.counts.only_b), str(one.counts.other_class)),
            *(str(one.counts.flipped), str(one.counts.astray), _number(one.counts.mean_iou)),
        )
        for one in result.tracks[:most]
        if one.counts.cost > 0
    ]


def class_rows(result: Agreement) -> list[tuple[str, str, str]]:
    """How often two classes meet that are not the same."""
    return [
        (a or "absent", b or "absent", str(count)) for (a, b), count in result.confusion.items() if a != b
    ]


def identity_line(result: Agreement) -> str:
    """How tracks go together, in a line."""
    one = result.identity
    kept = "no pairs" if math.isnan(one.together) else f"{100 * one.together:.1f} % of pairs stay together"
    return (
        f"tracks: {one.tracks_a} in A, {one.tracks_b} in B, {len(one.partners)} in both; {kept}, "
        f"identity switches {one.switches_a} (A's tracks) and {one.switches_b} (B's), "
        f"IDF1 {_number(one.idf1)}"
    )


def print_agreement(opened: Opened, result: Agreement) -> None:
    """The tables."""
    from rich.console import Console

    from scripts.tables import print_table, say

    console = Console(width=None if Console().is_terminal else 150)
    first, second = opened.given
    say(console, f"{opened.log_name}  A: {first.name}  B: {second.name}", "bold")
    say(console, summary(opened, result))
    if not result.overall.a and not result.overall.b:
        return
    print_table(console, "agreement", FIGURE_TITLES, figure_rows(result))
    say(console, LEGEND, "dim")
    print_table(console, "B less A, median of pairs, in A's box axes", BIAS_TITLES, bias_rows(result))
    print_table(console, "classes that differ", ("A", "B", "boxes"), class_rows(result)[:MOST_LINES])
    print_table(console, "objects to look at first", TRACK_TITLES, track_rows(opened, result))
    say(console, identity_line(result))


def _number(value: float, form: str = ".3f") -> str:
    return "-" if math.isnan(value) else format(value, form)


def _both(median: float, p95: float, form: str) -> str:
    return "-" if math.isnan(median) else f"{median:{form}} / {p95:{form}}"
