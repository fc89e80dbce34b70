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
    camera_detector: Annotated[
        Path | None, typer.Option(help="YOLOX network that looks at the images (.onnx).")
    ] = None,
    sensors: Annotated[
        bool, typer.Option("--sensors", help="Look at calibration and drift of all cameras too (slow).")
    ] = False,
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
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Seed errors, look for them, and say how many are found.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Rounds of the self-test.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a log.")] = False,
) -> None:
    """Check labels against the sensors, themselves, and each other; list what is worth a look first.

    Exit code 0: nothing mandatory. 1: something is. 2: cannot be checked.

    A log with labels of its own: crosslabel check LOG

    How much it finds: crosslabel check LOG --self-test

    Your labels, with a page to look at: crosslabel check LOG --labels out --report check.html
    """
    from scripts.check_runs import Checks, chosen_rules
    from scripts.check_sources import Sources
    from scripts.logs import logs_at

    config = chosen_rules(rules, only or [], exclude or [])
    sources = Sources(labels, config, poses, rig, search, camera_detector, sensors)
    checks = Checks(sources, report, most, fix, strict, as_json)
    places = logs_at([path], format, log)
    raise typer.Exit(checks.power(places, seeds) if self_test else checks.each(places))
