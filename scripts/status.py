"""`crosslabel status`: how a batch stands, whether it runs or not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from autolabel.batch import Standing

WATCH_S = 2.0


def run(
    out: Annotated[Path, typer.Argument(help="Folder of results of crosslabel autolabel.")],
    watch: Annotated[bool, typer.Option("--watch", help="Go on until the batch has ended.")] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Write OUT/index.html and OUT/queue.jsonl as things stand.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how far a batch of logs has come, how fast it goes, and what failed.

    Exit code 0: it runs, or every log is done. 1: it has ended, and some are not.

    On another screen than the batch: crosslabel status out --watch
    """
    from autolabel.batch import State
    from scripts.batch_page import write_overview
    from scripts.console import note

    standing = _watched(out) if watch else _standing(out)
    if page:
        write_overview(out, standing)
        note(f"{out / 'index.html'}")
    if as_json:
        print(json.dumps(as_dict(standing)))
    elif not watch:
        _print(standing)
    ended = standing.state is not State.RUNNING
    raise typer.Exit(1 if ended and (standing.failed or standing.left) else 0)


def as_dict(standing: Standing) -> dict[str, Any]:
    """All of it, for machines."""
    from autolabel.runs import Outcome

    left_s, rate = standing.left_s, standing.per_hour
    return {
        "state": str(standing.state),
        "reason": standing.reason,
        "workers": standing.workers,
        "host": standing.host,
        "pid": standing.pid,
        "total": standing.total,
        "done": standing.count(Outcome.DONE),
        "up_to_date": standing.count(Outcome.UP_TO_DATE),
        "left": standing.left,
        "elapsed_s": round(standing.elapsed_s, 1),
        "left_s": None if left_s is None else round(left_s, 1),
        "logs_an_hour": None if rate is None else round(rate, 1),
        "failed": {one.name: one.reason for one in standing.failed},
    }


def _standing(out: Path) -> Standing:
    from autolabel.batch import read_ledger
    from calib.errors import CrosslabelError

    standing = read_ledger(out)
    if standing is None:
        raise CrosslabelError(f"{out}: no batch was run into this folder")
    return standing


def _watched(out: Path) -> Standing:
    """Shows it until it has ended."""
    from rich.console import Console
    from rich.live import Live

    from autolabel.batch import State
    from scripts.batch_table import table_of

    with Live(console=Console(), auto_refresh=False) as live:
        while True:
            standing = _standing(out)
            live.update(table_of(standing, {}, None), refresh=True)
            if standing.state is not State.RUNNING:
                return standing
            time.sleep(WATCH_S)


def _print(standing: Standing) -> None:
    from rich.console import Console

    from scripts.batch_table import table_of

    Console().print(table_of(standing, {}, None), highlight=False)
    if standing.reason:
        print(f"{standing.state}: {standing.reason}")
