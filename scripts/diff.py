"""`crosslabel diff`: what changed from one label set to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    a: Annotated[Path, typer.Argument(help="Labels: a labels.db, a folder of them, or any label format.")],
    b: Annotated[Path, typer.Argument(help="Other labels of the same log.")],
    log: Annotated[
        Path | None,
        typer.Option(help="The log or data set they belong to; labels.db and data sets do without."),
    ] = None,
    log_id: Annotated[str | None, typer.Option(help="Which log, where there are several.")] = None,
    tolerance_m: Annotated[
        float, typer.Option(min=0, help="Centres and sizes that differ by less are the same.")
    ] = 1e-6,
    tolerance_deg: Annotated[float, typer.Option(min=0, help="The same for headings.")] = 1e-4,
    tolerance_px: Annotated[float, typer.Option(min=0, help="The same for rectangles.")] = 1e-6,
    by_overlap: Annotated[
        bool, typer.Option("--by-overlap/--ids-only", help="Pair tracks of different ids that overlap.")
    ] = True,
    report: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show tracks, boxes, rectangles and reviews that were added, removed or changed, and by whom.

    Exit code 0 where nothing differs, 1 where something does.
    """
    import json

    from fusion.agreement import diff, same_tracks
    from scripts.console import note
    from scripts.diff_tables import as_dict, print_diff
    from scripts.label_pairs import open_sets, tolerance_of

    opened = open_sets([a, b], log, log_id)
    first, second = opened.given
    result = diff(
        first.labels,
        second.labels,
        tolerance=tolerance_of(tolerance_m, tolerance_deg, tolerance_px),
        same=same_tracks(first.labels, second.labels, by_overlap=by_overlap),
        history_a=first.history,
        history_b=second.history,
    )
    if report is not None:
        from scripts.diff_tables import page
        from scripts.report import write_report

        write_report(report, page(opened, result))
        note(f"written: {report}")
    if as_json:
        print(json.dumps(as_dict(opened, result), indent=1))
    else:
        print_diff(opened, result)
    if not result.equal:
        raise typer.Exit(1)
