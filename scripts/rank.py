"""`crosslabel rank`: which objects, or which logs, are worth labelling next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Drive logs, or data sets of several.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Their labels, such as OUT of autolabel; their own unless given.")
    ] = None,
    logs: Annotated[bool, typer.Option("--logs/--tracks", help="Rank whole logs, or their objects.")] = False,
    kind: Annotated[str | None, typer.Option(help="Only objects of this class or kind, such as car.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many to name.")] = 20,
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    embedding: Annotated[
        Path | None, typer.Option(help="Network that turns a picture into a vector (.onnx).")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="Folder to keep what is measured in; beside a labels.db unless given.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with pictures to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank objects, or logs, by how little is sure of them and by how rare they are.

    Worth is half of what is doubtful (the larger of `unsure`, what the labels say of themselves, and `odd`,
    the share of an object's neighbours that are of another class) and half of `rare`, the share of all
    objects that have nearer neighbours.

    What to look at first: crosslabel rank LOG --labels out --report rank.html

    Which drives to label next: crosslabel rank DATA --labels out --logs
    """
    from scripts.logs import logs_at
    from scripts.rank_ranked import print_ranked, rank, write_page
    from scripts.similar_pool import Objects

    objects = Objects(logs_at(paths, format, log), labels, index, embedding)
    ranked = rank(objects, kind)
    if report is not None:
        write_page(report, objects, ranked, top)
    print_ranked(ranked, logs, top, as_json)
