"""`crosslabel export`: labels and their log as a data set in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from formats.format import Format
    from fusion.labels import LabelSet
    from fusion.log import DriveLog


def run(
    labels: Annotated[Path, typer.Argument(help="A labels.db, a folder of them, or any label format.")],
    source: Annotated[Path, typer.Option(help="The log or data set that the labels belong to.")],
    format: Annotated[str, typer.Option(help="Format to write, such as nuscenes.")],
    out: Annotated[Path, typer.Option(help="Folder to write; must not hold anything yet.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    poses: Annotated[Path | None, typer.Option(help="Folder of trajectories, one a log.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    sensors: Annotated[
        bool | None,
        typer.Option(
            "--sensors/--labels-only",
            help="Write clouds and images too. Default: not if SOURCE is in this format already.",
        ),
    ] = None,
    keyframe_every: Annotated[int, typer.Option(min=1, help="nuScenes: every n-th frame a key frame.")] = 1,
) -> None:
    """Write a data set that other tools read."""
    from formats.errors import FormatError
    from formats.registry import find_format
    from scripts.console import note, progress_bar

    target = find_format(out, format)
    read_from = find_format(source)
    whole = sensors if sensors is not None else target.write_labels is None or target is not read_from
    if (target.write if whole else target.write_labels) is None:
        raise FormatError(out, "", f"{target.title} cannot be written {'whole' if whole else 'labels only'}")
    pairs = _pairs(labels, source, log, poses, rig)
    if whole:
        assert target.write is not None
        options = {"keyframe_every": keyframe_every} if "keyframe_every" in target.options else {}
        with progress_bar("writing") as progress:
            target.write(out, pairs, progress=progress, **options)
    else:
        _write_labels(target, out, pairs)
    for loss in target.loses:
        note(f"not kept by {target.title}: {loss}")
    note(f"written: {out}")


def _write_labels(target: Format, out: Path, pairs: Iterator[tuple[DriveLog, LabelSet]]) -> None:
    from formats.files import atomic_folder

    assert target.write_labels is not None
    with atomic_folder(out) as folder:
        for drive, label_set in pairs:
            target.write_labels(folder, drive, label_set)


def _pairs(
    labels: Path, source: Path, wanted: list[str] | None, poses: Path | None, rig: Path | None
) -> Iterator[tuple[DriveLog, LabelSet]]:
    from scripts.logs import labels_of, open_logs

    for _, drive in open_logs(source, None, wanted, poses, rig):
        yield drive, labels_of(labels, drive)
