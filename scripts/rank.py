"""`crosslabel rank`: which objects, or which logs, are worth labelling next."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts import similar_options as ask


def run(
    paths: ask.Logs,
    labels: ask.Labels = None,
    logs: Annotated[bool, typer.Option("--logs/--tracks", help="Rank whole logs, or their objects.")] = False,
    kind: ask.Kind = None,
    top: ask.Top = 20,
    log: ask.OnlyLogs = None,
    format: ask.FormatName = None,
    embedding: ask.Embedding = None,
    index: ask.Index = None,
    report: ask.Report = None,
    as_json: ask.AsJson = False,
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
