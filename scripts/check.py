"""`crosslabel check`: what is wrong with labels, whose fault it is, and what is worth a look first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    path: Annotated[Path, typer.Argument(help="A drive log, or a data set of several.")],
    labels: Annotated[
        Path | None, typer.Option(help="The labels to check; those of PATH itself unless given.")
    ] = None,
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="What the project changes about the rules, YAML.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this rule, such as P1 (repeatable).")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Not this rule (may be repeated).")] = None,
    search: Annotated[bool, typer.Option(help="Search the scans for objects that nobody labelled.")] = True,
    poses: Annotated[Path | None, typer.Option(help="Folder of trajectories, one a log.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page (.html), with .csv and .json beside.")
    ] = None,
    most: Annotated[int, typer.Option(min=0, help="Pictures of so many objects on the page.")] = 50,
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair in the labels.db what is sure; one step of undo each.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count like mandatory findings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a log.")] = False,
) -> None:
    """Check labels against the sensors, themselves, and each other; list what is worth a look first.

    Exit code 0: nothing mandatory. 1: something is. 2: cannot be checked.

    A log with labels of its own: crosslabel check LOG

    Your labels, with a page to look at: crosslabel check LOG --labels out --report check.html
    """
    from scripts.check_runs import Checks, chosen_rules
    from scripts.logs import logs_at

    config = chosen_rules(rules, only or [], exclude or [])
    checks = Checks(labels, config, search, poses, rig, report, most, fix, strict, as_json)
    raise typer.Exit(checks.each(logs_at([path], format, log)))
