"""`crosslabel convert`: a log or a data set, with its labels or with others, in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from formats.convert import Converted
    from formats.format import Format
    from fusion.labels import LabelSet
    from fusion.log import DriveLog


def run(
    source: Annotated[Path, typer.Argument(help="A log or a data set.")],
    out: Annotated[Path, typer.Argument(help="Folder (or file of labels) to write; must be new or empty.")],
    format: Annotated[str, typer.Option(help="Format to write, such as nuscenes.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="Labels to write: a labels.db, a folder of them, or any format. Default: its own."),
    ] = None,
    source_format: Annotated[
        str | None, typer.Option("--from", help="Format of SOURCE, where recognising it is not wanted.")
    ] = None,
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    poses: Annotated[Path | None, typer.Option(help="Folder of trajectories, one a log.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    sensors: Annotated[
        bool | None,
        typer.Option(
            "--sensors/--labels-only",
            help="Write clouds and images too, or labels alone: of nuScenes into the data set that OUT is. "
            "Default: labels alone if SOURCE is in this format already, unless that is nuScenes.",
        ),
    ] = None,
    keyframe_every: Annotated[
        int | None,
        typer.Option(min=1, help="nuScenes: every n-th frame a key frame. Default: as it was, else all."),
    ] = None,
    lossy: Annotated[bool, typer.Option(help="Let go of what the format does not declare to lose.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written and lost as JSON.")] = False,
) -> None:
    """Write a data set that other tools read, and say what it has no place for.

    The labels are read back and compared: what does not come back is counted, and a loss that the format
    does not declare is refused, with nothing written.
    """
    from formats.convert import convert
    from formats.registry import find_format
    from scripts.console import note, progress_bar
    from scripts.logs import labels_of, open_logs

    target, read_from = find_format(out, format), find_format(source, source_format)
    whole = sensors
    if whole is None:
        anew = target.write_labels is None or target.labels_into is not None or target is not read_from
        whole = target.write is not None and anew

    aside: set[str] = set()

    def pairs() -> Iterator[tuple[DriveLog, LabelSet]]:
        for at, drive in open_logs(source, source_format, log, poses, rig):
            aside.add(drive.metadata.get("sensors_left_aside", ""))
            yield drive, _own(at, source, drive) if labels is None else labels_of(labels, drive)

    options: dict[str, object] = {}
    if keyframe_every is not None and "keyframe_every" in target.options:
        options["keyframe_every"] = keyframe_every
    with progress_bar("writing") as progress:
        converted = convert(
            target, out, pairs, sensors=whole, lossy=lossy, progress=progress, options=options
        )
    if as_json:
        typer.echo(_json(target, out, converted))
    for loss in target.loses:
        note(f"not kept by {target.title}: {loss}")
    for sensors_left in sorted(aside - {""}) if target.name != "nuscenes" else ():
        note(f"not kept by {target.title}: readings of {sensors_left}")
    for line in _lost(converted):
        note(line)
    note(f"written: {out}")


def _own(source: Format, path: Path, log: DriveLog) -> LabelSet:
    from fusion.labels import LabelSet

    return LabelSet() if source.read_labels is None else source.read_labels(path, log)


def _lost(converted: list[Converted]) -> Iterator[str]:
    for one in converted:
        if one.losses is None:
            yield f"{one.log}: {one.tracks} tracks, {one.boxes} boxes; nothing here reads them back"
        elif not one.losses:
            yield f"{one.log}: {one.tracks} tracks, {one.boxes} boxes, all read back as they were"
        for loss in one.losses or ():
            yield f"{one.log}: lost {loss.part}: {loss.count} of {loss.of}, such as {loss.first}"


def _json(target: Format, out: Path, converted: list[Converted]) -> str:
    import json
    from dataclasses import asdict

    logs = [asdict(one) for one in converted]
    return json.dumps({"format": target.name, "written": str(out), "logs": logs}, indent=2)
