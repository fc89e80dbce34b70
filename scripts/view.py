"""`crosslabel view`: look at a log and correct its labels, in a window."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fusion.log import DriveLog
    from scripts.view_windows import Wanted
    from viewer.actions import Action
    from viewer.opened import Opened


def run(
    path: Annotated[
        Path | None, typer.Argument(help="A drive log, or a data set of several; asked for where left out.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels to begin with; what autolabel made is worked on itself, other labels are copied."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the work that begins anew: OUT/LOG/AUTHOR.db.")
    ] = Path("crosslabel-labels"),
    log: Annotated[str | None, typer.Option(help="Which log, where there are several.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    schema: Annotated[Path | None, typer.Option(help="Classes and attributes, a YAML file.")] = None,
    preset: Annotated[
        str, typer.Option(help="Keys as in Crosslabel, SUSTechPOINTS, labelCloud, CVAT.")
    ] = "Crosslabel",
    keys: Annotated[Path | None, typer.Option(help="Keys of one's own, a JSON file: action, list.")] = None,
    author: Annotated[str | None, typer.Option(help="Who works; your user name unless given.")] = None,
    frame: Annotated[int, typer.Option(min=0, help="Which frame to show first.")] = 0,
    queue: Annotated[
        Path | None, typer.Option(help="Work through the logs of autolabel's queue.jsonl, one by one.")
    ] = None,
) -> None:
    """Open a log in the viewer. Every edit is on disk at once; work goes on where it was left.

    Look at a log and its own labels: crosslabel view LOG

    Correct what autolabel made: crosslabel view LOG --labels out

    Of a thousand logs the worst first: crosslabel view --queue out/queue.jsonl
    """
    from calib.errors import CrosslabelError
    from scripts.logs import open_log
    from scripts.view_windows import Wanted, another_wanted, work_through
    from viewer.open import screen_problem
    from viewer.queue import Queue

    if queue is not None and (path, labels, log) != (None, None, None):
        raise typer.BadParameter("--queue says which logs and labels: name no others")
    waiting = None if queue is None else Queue(queue)
    drive = None if path is None else open_log(path, format, log, rig)
    problem = screen_problem()
    if problem is not None:
        raise CrosslabelError(problem)
    desk = Wanted(_actions(preset, keys), out, schema, author or getpass.getuser(), rig)
    if waiting is not None:
        work_through(waiting, desk)
    elif drive is None or path is None or another_wanted(drive, path, desk, labels, frame):
        _ask_and_show(desk)


def _ask_and_show(wanted: Wanted) -> None:
    """Asks what to open, and shows it, until that is enough."""
    from calib.errors import CrosslabelError
    from scripts.view_windows import another_wanted
    from viewer.qt.app import ask_what_to_open

    problem = ""
    while (chosen := ask_what_to_open(problem)) is not None:
        problem = ""
        try:
            drive = _opened(chosen)
            if drive is not None and not another_wanted(drive, chosen.path, wanted):
                return
        except CrosslabelError as error:
            problem = str(error)


def _opened(chosen: Opened) -> DriveLog | None:
    """The log that was chosen on the first page; None where nobody says which one."""
    from formats.registry import find_format
    from scripts.logs import chosen_ids, open_log
    from viewer.opened import SIMULATED, simulated_drive
    from viewer.qt.welcome import ask_which

    if chosen.path == SIMULATED:
        return simulated_drive()[0]
    names = chosen_ids(find_format(chosen.path), chosen.path, [chosen.log] if chosen.log else None)
    name = names[0] if len(names) == 1 else ask_which(names)
    return None if name is None else open_log(chosen.path, wanted=name)


def _actions(name: str, keys: Path | None) -> tuple[Action, ...]:
    """What can be done, under the keys that are wanted."""
    from calib.errors import CrosslabelError
    from scripts.console import note
    from viewer.presets import PRESETS, own_keys_file, preset, read_keys

    by_name = {known.casefold(): known for known in PRESETS}
    if name.casefold() not in by_name:
        raise typer.BadParameter(f"there are the presets {', '.join(PRESETS)}, not {name!r}")
    actions = preset(by_name[name.casefold()])
    if keys is not None:
        return read_keys(keys, actions)
    own = own_keys_file()
    try:
        return read_keys(own, actions) if own.is_file() else actions
    except CrosslabelError as error:  # as after another preset was chosen: work can go on without them
        note(f"{error}; left out")
        return actions
