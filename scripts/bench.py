"""`crosslabel bench`: what labelling a clip costs on this machine, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    clips: Annotated[int, typer.Option(min=1, help="How many clips, each of another street.")] = 20,
    seconds: Annotated[float, typer.Option(min=1.0, max=600.0, help="Length of each.")] = 20.0,
    points: Annotated[int, typer.Option(min=2_000, help="Points of a sweep.")] = 120_000,
    workers: Annotated[int, typer.Option(min=1, help="Clips at a time, a process each.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Folder that the clips are made in, or are in already.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Measure how many clips an hour one core labels: simulated streets, from files on disk to files on disk.

    Each clip is opened, searched for objects, labelled, checked and stored, as `crosslabel autolabel` and
    `crosslabel check` do it; beside that stands what reading its sweeps alone costs. Time is that of the
    processor. Clips are made first where they are not there yet, which is not timed (about 40 s each).

    A first impression: crosslabel bench --clips 2
    """
    from scripts.bench_clips import Street, made_clips
    from scripts.bench_measure import measure
    from scripts.bench_table import print_bench, record
    from scripts.console import progress_bar

    with progress_bar("") as progress:
        folders = made_clips(Street(seconds, points), clips, keep, workers, progress)
        costs = measure(folders, workers, progress)
    if as_json:
        import json

        print(json.dumps(record(costs, workers)))
    else:
        print_bench(costs, workers)
