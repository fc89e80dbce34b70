"""`crosslabel similar`: the objects of many logs that are like one, or like some and unlike others."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts import similar_options as ask


def run(
    object: Annotated[str, typer.Argument(help="LOG/TRACK, or TRACK where one log alone has such a track.")],
    paths: ask.Logs,
    labels: ask.Labels = None,
    like: Annotated[list[str] | None, typer.Option(help="And like this one (may be repeated).")] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="But unlike this one (may be repeated).")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="In this alone: size, shape, brightness, motion, colour or look (repeatable)."),
    ] = None,
    kind: ask.Kind = None,
    top: ask.Top = 20,
    log: ask.OnlyLogs = None,
    format: ask.FormatName = None,
    embedding: ask.Embedding = None,
    index: ask.Index = None,
    report: ask.Report = None,
    as_json: ask.AsJson = False,
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
