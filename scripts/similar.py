"""`crosslabel similar`: the objects of many logs that are like one, or like some and unlike others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    object: Annotated[str, typer.Argument(help="LOG/TRACK, or TRACK where one log alone has such a track.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Drive logs, or data sets of several.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Their labels, such as OUT of autolabel; their own unless given.")
    ] = None,
    like: Annotated[list[str] | None, typer.Option(help="And like this one (may be repeated).")] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="But unlike this one (may be repeated).")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="In this alone: size, shape, brightness, motion, colour or look (repeatable)."),
    ] = None,
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
    """Find objects like one: in size, shape, brightness, motion, colour and look.

    Scores go from 1, like the examples, over 0 to -1, like what is marked as unlike them.

    More like track 12: crosslabel similar 12 LOG --labels out

    Over all logs, with what it is not: crosslabel similar DRIVE/12 DATA --like DRIVE/40 --unlike DRIVE/7

    Cars of its colour: crosslabel similar DRIVE/12 DATA --kind car --by colour --report red.html
    """
    from scripts.logs import logs_at
    from scripts.similar_found import find, print_found, write_page
    from scripts.similar_pool import Objects

    objects = Objects(logs_at(paths, format, log), labels, index, embedding)
    found = find(objects, [object, *(like or [])], unlike or [], by or [], kind, top)
    if report is not None:
        write_page(report, objects, found)
    print_found(found, as_json)
