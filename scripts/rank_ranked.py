"""What `crosslabel rank` finds, says and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel.similar import LogWorth, Worth
    from scripts.similar_pool import Objects

OBJECTS = ("", "worth", "unsure", "odd", "rare", "object", "class", "boxes", "wants a look")
LOGS = ("", "log", "worth", "finds", "objects", "frames", "worth a frame", "unsure", "rare")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Objects and logs, the most worthwhile first."""

    objects: Sequence[Worth]
    logs: Sequence[LogWorth]


def rank(objects: Objects, kind: str | None) -> Ranked:
    """Ranks what all logs hold.

    Raises:
        CrosslabelError: there is no object, none of such a kind, or faiss is missing.
    """
    from autolabel.similar import Doubt, ObjectId, Pool, log_worths, worths
    from calib.errors import CrosslabelError

    catalogues, doubts, frames = [], {}, {}
    for catalogue, log, labels in objects.each():
        catalogues.append(catalogue)
        frames[log.name] = len(log)
        for id in catalogue.tracks:
            doubts[ObjectId(log.name, id)] = Doubt.of(labels.tracks[id])
    pool = Pool.of(catalogues)
    if len(pool) == 0:
        raise CrosslabelError(f"{objects.places[0].path}: its labels hold no box")
    wanted = {pool.ids[row] for row in pool.of_kind(kind).tolist()}
    ranked = [one for one in worths(pool, doubts) if one.id in wanted]
    return Ranked(ranked, log_worths(ranked, frames))


def print_ranked(ranked: Ranked, logs: bool, top: int, as_json: bool) -> None:
    """A table for people, or JSON: of objects, or of logs."""
    import json

    if as_json:
        told = [_log_dict(one) for one in ranked.logs] if logs else [_dict(one) for one in ranked.objects]
        print(json.dumps({"logs" if logs else "objects": told[:top]}, indent=1))
        return
    rows = _log_rows(ranked.logs[:top]) if logs else _rows(ranked.objects[:top])
    _print_lines([LOGS if logs else OBJECTS, *rows])


def _print_lines(rows: Sequence[Sequence[str | int | float]]) -> None:
    """Columns as wide as they need to be, so that names can be copied whole."""
    texts = [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in texts) for place in range(len(texts[0]))]
    for row in texts:
        print("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def _dict(one: Worth) -> dict[str, Any]:
    return {
        "object": str(one.id),
        "log": one.id.log,
        "track": one.id.track,
        "category": one.category,
        "worth": round(one.worth, 4),
        "unsure": None if one.doubt.unsure is None else round(one.doubt.unsure, 4),
        "odd": round(one.odd, 4),
        "rare": round(one.rare, 4),
        "nearest": None if one.like is None else str(one.like),
        "boxes": one.doubt.boxes,
        "looks": round(one.doubt.looks, 4),
        "look": one.doubt.reason,
    }


def _log_dict(one: LogWorth) -> dict[str, Any]:
    return {
        "log": one.log,
        "worth": round(one.worth, 4),
        "finds": one.finds,
        "objects": one.tracks,
        "frames": one.frames,
        "worth_per_frame": round(one.worth_per_frame, 6),
        "unsure": None if one.unsure is None else round(one.unsure, 4),
        "rare": round(one.rare, 4),
    }


def _rows(objects: Sequence[Worth]) -> list[tuple[str | int | float, ...]]:
    return [
        (
            place,
            round(one.worth, 2),
            "" if one.doubt.unsure is None else round(one.doubt.unsure, 2),
            round(one.odd, 2),
            round(one.rare, 2),
            str(one.id),
            one.category,
            one.doubt.boxes,
            one.doubt.reason,
        )
        for place, one in enumerate(objects, start=1)
    ]


def _log_rows(logs: Sequence[LogWorth]) -> list[tuple[str | int | float, ...]]:
    return [
        (
            place,
            one.log,
            round(one.worth, 2),
            one.finds,
            one.tracks,
            one.frames,
            round(one.worth_per_frame, 3),
            "" if one.unsure is None else round(one.unsure, 2),
            round(one.rare, 2),
        )
        for place, one in enumerate(logs, start=1)
    ]


def write_page(path: Path, objects: Objects, ranked: Ranked, top: int) -> None:
    """A page with the first objects, their pictures, and the logs.

    Raises:
        FormatError: it cannot be written.
    """
    from scripts.console import note
    from scripts.report import Report, Section, Table, write_report
    from scripts.similar_pictures import Caption, pictures_of

    first = ranked.objects[:top]
    captions = [
        Caption(one.id, f"{place}. {one.category}: {_why(one)}") for place, one in enumerate(first, start=1)
    ]
    sections = [
        Section("Objects, the most worthwhile first", [Table(OBJECTS, _rows(first))]),
        Section("Logs, the most worthwhile first", [Table(LOGS, _log_rows(ranked.logs[:top]))]),
        Section("Looked at closely", pictures_of(objects, captions)),
    ]
    summary = f"{len(first)} of {len(ranked.objects)} objects in {len(ranked.logs)} logs."
    write_report(path, Report("What to label next", summary, sections))
    note(f"written: {path}")


def _why(one: Worth) -> str:
    """What makes it worth a look, in words."""
    parts = [f"rarer than {one.rare:.0%} of all".replace("%", " %")]
    if one.odd > 0:
        parts.append(f"{one.odd:.0%} of its neighbours are of another class".replace("%", " %"))
    if one.doubt.unsure:
        parts.append(f"unsure by {one.doubt.unsure:.2f}")
    if one.doubt.reason:
        parts.append(one.doubt.reason)
    return ", ".join(parts)
