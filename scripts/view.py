"""`crosslabel view`: look at a log and correct its labels, in a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from fusion.store import LabelStore
    from viewer.actions import Action


def run(
    path: Annotated[Path, typer.Argument(help="A drive log, or a data set of several.")],
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
) -> None:
    """Open a log in the viewer. Every edit is on disk at once; work goes on where it was left.

    Look at a log and its own labels: crosslabel view LOG

    Correct what autolabel made: crosslabel view LOG --labels out
    """
    from calib.errors import CrosslabelError
    from scripts.console import note
    from scripts.logs import open_log
    from viewer.open import desk_of, screen_problem

    drive = open_log(path, format, log, rig)
    problem = screen_problem()
    if problem is not None:
        raise CrosslabelError(problem)
    actions = _actions(preset, keys)
    store = _store(drive, path, labels, out, author)
    note(f"{drive.name}: labels in {store.path}")
    from viewer.qt.app import open_window

    with store:
        code = open_window(desk_of(drive, store, schema, frame), actions)
    raise typer.Exit(code)


def _actions(name: str, keys: Path | None) -> tuple[Action, ...]:
    """What can be done, under the keys that are wanted."""
    from viewer.presets import PRESETS, preset, read_keys

    by_name = {known.casefold(): known for known in PRESETS}
    if name.casefold() not in by_name:
        raise typer.BadParameter(f"there are the presets {', '.join(PRESETS)}, not {name!r}")
    actions = preset(by_name[name.casefold()])
    return actions if keys is None else read_keys(keys, actions)


def _store(drive: DriveLog, path: Path, labels: Path | None, out: Path, author: str | None) -> LabelStore:
    """The file of labels to work on: the given one, the one begun earlier, or a new one."""
    import getpass

    from fusion.store import LabelStore
    from scripts.logs import labels_of
    from viewer.open import own_file

    if labels is not None:
        for made in (labels, labels / drive.name / "labels.db"):
            if made.suffix == ".db" and made.is_file():
                return LabelStore.open(made)
    name = author or getpass.getuser()
    target = own_file(out, drive.name, name)
    if target.exists():
        return LabelStore.open(target)
    begun = _own_labels(drive, path) if labels is None else labels_of(labels, drive)
    return LabelStore.create(target, drive.name, begun, name)


def _own_labels(drive: DriveLog, path: Path) -> LabelSet:
    """The labels that come with a log; none where its format holds none."""
    from formats.registry import find_format
    from fusion.labels import LabelSet

    source = find_format(path)
    return LabelSet() if source.read_labels is None else source.read_labels(path, drive)
