"""`crosslabel merge`: two label sets of one log in one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from fusion.agreement import Merged
    from scripts.label_pairs import Opened

MOST_LINES, MOST_IDS = 30, 12
COUNTED = {
    "same": "the same in both",
    "a": "from A",
    "b": "from B",
    "both": "from both",
    "removed by a": "removed by A",
    "removed by b": "removed by B",
    "conflict": "in conflict",
}


class Preferred(StrEnum):
    """Whose value is taken in a conflict."""

    A = "a"
    B = "b"
    NEWER = "newer"
    LOCKED = "locked"


def run(
    a: Annotated[Path, typer.Argument(help="Labels: a labels.db, a folder of them, or any label format.")],
    b: Annotated[Path, typer.Argument(help="Other labels of the same log.")],
    out: Annotated[Path, typer.Option(help="The labels.db to write; a folder takes it as LOG/labels.db.")],
    base: Annotated[Path | None, typer.Option(help="The labels that both began with.")] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="The log or data set they belong to; labels.db and data sets do without."),
    ] = None,
    log_id: Annotated[str | None, typer.Option(help="Which log, where there are several.")] = None,
    prefer: Annotated[
        Preferred,
        typer.Option(
            help="Whose value a conflict takes where no lock decides; newer: by the histories; "
            "locked: what people are surer of, such as made by hand over automatic."
        ),
    ] = Preferred.A,
    by_overlap: Annotated[
        bool, typer.Option("--by-overlap/--ids-only", help="Join tracks of different ids that overlap.")
    ] = True,
    tolerance_m: Annotated[
        float, typer.Option(min=0, help="Boxes whose centres and sizes differ by less are the same.")
    ] = 1e-6,
    tolerance_deg: Annotated[float, typer.Option(min=0, help="The same for headings.")] = 1e-4,
    force: Annotated[bool, typer.Option("--force", help="Replace labels that stand there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Merge two label sets box by box, three-way where --base names what both began with.

    Different changes of one thing are a conflict: A's value is taken (or as --prefer says; a locked box
    always wins over one that is not), the other is kept in the record of the merge, and a comment is
    pinned on the place. Exit code 1 where there were conflicts.
    """
    import json

    from formats.labels_db import labels_file
    from fusion.agreement import Prefer, merge, write_merged
    from fusion.agreement.merge import RECORD
    from scripts.console import note
    from scripts.label_pairs import open_sets, tolerance_of

    paths = [a, b] if base is None else [a, b, base]
    opened = open_sets(paths, log, log_id)
    target = labels_file(out, opened.log_name)
    opened.require_other(target)
    first, second = opened.given[:2]
    ancestor = opened.given[2] if base is not None else None
    choice = Prefer(prefer.value)
    merged = merge(
        first.labels,
        second.labels,
        None if ancestor is None else ancestor.labels,
        prefer=choice,
        by_overlap=by_overlap,
        tolerance=tolerance_of(tolerance_m, tolerance_deg),
        history_a=first.history,
        history_b=second.history,
    )
    name = opened.log_name
    written = write_merged(target, name, merged, first, second, ancestor, prefer=choice, force=force)
    note(f"written: {target}")
    if as_json:
        print(json.dumps({"log": name, "out": str(target), "merge": written.attributes[RECORD]}, indent=1))
    else:
        _print(opened, merged, ancestor is not None)
    if merged.conflicts:
        raise typer.Exit(1)


def _print(opened: Opened, merged: Merged, three_way: bool) -> None:
    from rich.console import Console

    from scripts.tables import print_table, say

    console = Console(width=None if Console().is_terminal else 150)
    names = "  ".join(
        f"{letter}: {one.name}" for letter, one in zip(("A", "B", "base"), opened.given, strict=False)
    )
    say(console, f"{opened.log_name}  {names}", "bold")
    if not three_way:
        say(console, "No --base: what only one has is taken, whether added by it or removed by the other.")
    counted = [(merged.counts.get(name, 0), said) for name, said in COUNTED.items()]
    counts = ", ".join(f"{count} {said}" for count, said in counted if count)
    boxes = merged.labels.annotation_count
    say(console, f"{boxes} boxes of {len(merged.labels.tracks)} tracks: {counts or 'none'}")
    _print_ids(console, merged.joined, "tracks of B are the same objects as tracks of A of other ids")
    _print_ids(console, merged.renamed, "tracks of B got a new id, as A has theirs for another object")
    if merged.given_up:
        said = "locked boxes of the base were changed or removed by one side, and that was taken"
        say(console, f"{len(merged.given_up)} {said}")
    rows = [
        (
            one.aspect if one.aspect.startswith(one.what.value) else f"{one.what.value}: {one.aspect}",
            one.place.track_id or "",
            "" if one.place.timestamp_ns is None else f"{one.place.timestamp_ns} ns",
            one.words,
            f"{one.taken} ({one.why})",
        )
        for one in merged.conflicts[:MOST_LINES]
    ]
    print_table(
        console,
        f"{len(merged.conflicts)} conflicts",
        ("conflict", "track", "where", "", "taken"),
        rows,
        left=True,
    )
    if len(merged.conflicts) > MOST_LINES:
        say(console, f"... and {len(merged.conflicts) - MOST_LINES} more; --json lists all")


def _print_ids(console: Console, ids: Mapping[str, str], words: str) -> None:
    from scripts.tables import say

    if ids:
        some = ", ".join(f"{old} -> {new}" for old, new in list(ids.items())[:MOST_IDS])
        more = ", ..." if len(ids) > MOST_IDS else ""
        say(console, f"{len(ids)} {words}: {some}{more}")
