"""What `crosslabel diff` prints and writes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scripts.report import Part, Report, Section, Table, Verdict

if TYPE_CHECKING:
    from fusion.agreement import Aspect, Diff, Difference
    from fusion.agreement.difference import Made
    from scripts.label_pairs import Opened

MOST_LINES, MOST_ON_PAGE, LONGEST_VALUE = 40, 2000, 90
COUNT_TITLES = ("", "added", "removed", "changed")
LIST_TITLES = ("what", "track", "where", "what about it", "by")
AMOUNT_TITLES = ("boxes", "how many", "median", "95 %", "most")
AMOUNTS = (("moved, m", "centre", 1.0), ("turned, deg", "heading", 180 / math.pi), ("size, m", "size", 1.0))


def as_dict(opened: Opened, result: Diff) -> dict[str, Any]:
    """For JSON."""
    from fusion.agreement import What
    from scripts.label_pairs import size_of

    sides = zip("ab", opened.given, strict=True)
    return {
        "log": opened.log_name,
        **{letter: {**dict(one.as_dict()), **size_of(one.labels)} for letter, one in sides},
        "equal": result.equal,
        "counts": result.counts(),
        "boxes_changed": result.aspect_counts(What.BOX),
        "tracks_by_id": len(result.same.by_id),
        "tracks_by_overlap": {a_id: b_id for b_id, a_id in result.same.by_overlap.items()},
        "differences": [one.as_dict() for one in result.differences],
    }


def summary(opened: Opened, result: Diff) -> str:
    """How much differs, in a sentence."""
    same = result.same
    pairing = f"{len(same.by_id)} tracks paired by id"
    if same.by_overlap:
        pairing += f", {len(same.by_overlap)} of different ids by overlap"
    if same.apart:
        pairing += f"; {len(same.apart)} ids stand for other objects in B than in A"
    first, second = opened.given
    if result.equal:
        return f"{first.name} and {second.name} say the same; {pairing}."
    return f"{first.name} and {second.name} differ in {len(result.differences)} things; {pairing}."


def count_rows(result: Diff) -> list[tuple[str, ...]]:
    """Things of each kind that were added, removed and changed."""
    from fusion.agreement import Deed, What

    counts = result.counts()
    rows = [(what, [counts.get(f"{what.value} {deed.value}", 0) for deed in Deed]) for what in What]
    return [(what.value, *map(str, (a, r, c))) for what, (a, r, c) in rows if a or r or c]


def amount_rows(result: Diff) -> list[tuple[str, ...]]:
    """By how much boxes were moved, turned and resized; how often something else of them changed."""
    from fusion.agreement import What
    from fusion.agreement.diff import largest

    rows: list[tuple[str, ...]] = []
    for title, name, scale in AMOUNTS:
        amounts = result.amounts(name)
        if amounts:
            rows.append((title, str(len(amounts)), *(f"{scale * v:.3g}" for v in largest(amounts))))
    told = {name for _, name, _ in AMOUNTS}
    others = {name: n for name, n in result.aspect_counts(What.BOX).items() if name not in told}
    return rows + [(name, str(count), "", "", "") for name, count in others.items()]


def list_rows(result: Diff, most: int) -> list[tuple[str, ...]]:
    """One line a thing that differs; those of a kind together, the largest moves first."""
    return [
        (
            f"{one.what.value} {one.deed.value}",
            _track(one),
            _where(one),
            "; ".join(_told(aspect) for aspect in one.aspects),
            _by(one),
        )
        for one in sorted(result.differences, key=_rank)[:most]
    ]


def _rank(one: Difference) -> tuple[int, str, float]:
    from fusion.agreement import What

    return list(What).index(one.what), one.deed.value, -(one.amount("centre") or 0.0)


def _track(one: Difference) -> str:
    if one.a_id is not None and one.b_id is not None and one.a_id != one.b_id:
        return f"{one.a_id} = {one.b_id}"
    return one.a_id if one.a_id is not None else one.b_id or ""


def _where(one: Difference) -> str:
    place = "" if one.timestamp_ns is None else f"{one.timestamp_ns} ns"
    return f"{one.camera} {place}" if one.camera else place


def _told(aspect: Aspect) -> str:
    if aspect.name == "centre":
        return f"moved {aspect.amount:.3g} m"
    if aspect.name == "heading":
        return f"turned {math.degrees(aspect.amount or 0.0):.3g} deg"
    if aspect.name == "size":
        return f"size {_numbers(aspect.before)} -> {_numbers(aspect.after)} m"
    if aspect.name == "sides":
        return f"sides moved {aspect.amount:.3g} px"
    if aspect.before is None:
        return f"{aspect.name} {_short(aspect.after)}"
    return f"{aspect.name} {_short(aspect.before)} -> {_short(aspect.after)}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _numbers(values: object) -> str:
    return " x ".join(f"{value:.2f}" for value in values) if isinstance(values, list) else ""


def _by(one: Difference) -> str:
    """Who made it what it is in B; who made what is gone."""
    return _made(one.made_b) or (f"was {_made(one.made_a)}" if _made(one.made_a) else "")


def _made(made: Made | None) -> str:
    from datetime import UTC, datetime

    if made is None:
        return ""
    when = ""
    if made.time_ns is not None:
        when = datetime.fromtimestamp(made.time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
    return " ".join(part for part in (made.source and made.source.value, made.author, when) if part)


def page(opened: Opened, result: Diff) -> Report:
    """The whole report."""
    parts: list[Part] = [Table(COUNT_TITLES, count_rows(result))]
    if amount_rows(result):
        parts.append(Table(AMOUNT_TITLES, amount_rows(result), "Boxes that both have and that differ."))
    rows = list_rows(result, MOST_ON_PAGE)
    more = len(result.differences) - len(rows)
    caption = f"{more} more are left out here; --json lists all." if more else "By: who made it so in B."
    verdict = Verdict("good" if result.equal else "warning", summary(opened, result))
    sections = [Section("What differs", parts), Section("All of it", [Table(LIST_TITLES, rows, caption)])]
    return Report(f"Differences on {opened.log_name}", verdict, [] if result.equal else sections)


def print_diff(opened: Opened, result: Diff) -> None:
    """Summary, tables, and the first lines of the list."""
    from rich.console import Console

    from scripts.tables import print_table, say

    console = Console(width=None if Console().is_terminal else 150)
    say(console, opened.log_name, "bold")
    say(console, summary(opened, result))
    print_table(console, "", COUNT_TITLES, count_rows(result))
    print_table(console, "", AMOUNT_TITLES, amount_rows(result))
    print_table(console, "", LIST_TITLES, list_rows(result, MOST_LINES), left=True)
    more = len(result.differences) - MOST_LINES
    if more > 0:
        say(console, f"... and {more} more; --json and --report list them")
