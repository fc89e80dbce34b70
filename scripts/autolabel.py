"""`crosslabel autolabel`: whole logs from one box, key frames, detections or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from autolabel import Config
    from fusion.labels import LabelSet
    from fusion.log import DriveLog


def run(
    path: Annotated[Path, typer.Argument(help="A drive log, or a data set of several.")],
    out: Annotated[Path, typer.Option(help="Folder for the results: one folder a log.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    seed_labels: Annotated[Path | None, typer.Option(help="Labels to take key frames from.")] = None,
    seed_every: Annotated[int | None, typer.Option(min=1, help="Take every n-th labelled frame.")] = None,
    seed_frames: Annotated[str | None, typer.Option(help="Take these frames, such as 0,7,14.")] = None,
    detections: Annotated[Path | None, typer.Option(help="Folder of per-frame boxes to track.")] = None,
    poses: Annotated[Path | None, typer.Option(help="Folder of trajectories, one a log.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings that differ from the defaults, YAML.")] = None,
    trust_poses: Annotated[
        bool, typer.Option("--trust-poses", help="Take the trajectory as it is, whatever the scans say.")
    ] = False,
    points: Annotated[bool, typer.Option(help="Follow objects by their points.")] = True,
    rectangles: Annotated[bool, typer.Option(help="Give every object its rectangle in every image.")] = True,
    explain: Annotated[
        list[str] | None, typer.Option(help="Write a page on how this track came about (may be repeated).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace older results; locked boxes stay.")] = False,
) -> None:
    """Label whole logs: from one box of each object, from key frames, from detections, or from nothing.

    Writes OUT/<log>/labels.db and OUT/<log>/run.json for each log. What is there already and came from the
    same input is left alone.

    One frame is labelled: crosslabel autolabel LOG --seed-labels LOG --seed-frames 11 --out out

    Every tenth one is: crosslabel autolabel LOG --seed-labels LOG --seed-every 10 --out out

    A detector's boxes: crosslabel autolabel LOG --detections FOLDER --out out

    Nothing, proposals to look at: crosslabel autolabel LOG --out out

    How track 12 came about: crosslabel autolabel LOG --detections FOLDER --out out --explain 12
    """
    from autolabel import Given, label
    from autolabel.runs import label_log
    from scripts.console import note, progress_bar
    from scripts.explain import write_explanation
    from scripts.logs import open_logs

    if (seed_labels is not None) != (seed_every is not None or seed_frames is not None):
        raise typer.BadParameter("--seed-labels goes with --seed-every or --seed-frames")
    if seed_every is not None and seed_frames is not None:
        raise typer.BadParameter("give --seed-every or --seed-frames, one of the two")
    frames = _frame_numbers(seed_frames) if seed_frames is not None else None
    settings = _settings(config, trust_poses, points, rectangles)
    out.mkdir(parents=True, exist_ok=True)
    for source, drive in open_logs(path, format, log, poses, rig):
        keyframes = None if seed_labels is None else _keyframes(seed_labels, drive, seed_every, frames)
        found = None if detections is None else _detections(source.name, detections, drive)
        given, folder = Given(keyframes, found), out / drive.name
        with progress_bar(drive.name) as progress:
            outcome, proposal = label_log(drive, given, folder, settings, force, progress)
            if explain and proposal is None:
                proposal = label(drive, given, settings, progress)
        for track_id in explain or ():
            assert proposal is not None
            page = folder / f"{_file_name(track_id)}.html"
            write_explanation(page, proposal, track_id)
            note(f"{drive.name}: track {track_id}: {page}")
        note(f"{drive.name}: {outcome}: {out / drive.name / 'labels.db'}")


def _file_name(track_id: str) -> str:
    """A name for a track's page that no id can turn into a path."""
    return "track-" + "".join(c if c.isalnum() or c in "-_" else "_" for c in track_id)[:80]


def _settings(path: Path | None, trust_poses: bool, points: bool, rectangles: bool) -> Config:
    """The defaults, with what a file and the command line say otherwise."""
    from pydantic import ValidationError

    from autolabel import Config
    from formats.errors import FormatError

    given: object = {}
    if path is not None:
        import yaml

        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise FormatError(path, "", f"cannot be read: {str(error).splitlines()[0]}") from None
    try:
        settings = Config.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FormatError(path or Path(), place, first["msg"]) from None
    changes: dict[str, bool] = {}
    if trust_poses:
        changes["mend_poses"] = False
    if not points:
        changes["use_points"] = False
    if not rectangles:
        changes["rectangles"] = False
    return settings.model_copy(update=changes)


def _frame_numbers(text: str) -> list[int]:
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise typer.BadParameter(f"--seed-frames takes whole numbers with commas, not {text!r}") from None


def _keyframes(path: Path, log: DriveLog, every: int | None, frames: list[int] | None) -> LabelSet:
    from formats.errors import FormatError
    from scripts.logs import labels_of

    labels = labels_of(path, log)
    if every is not None:
        kept = set(log.timestamps_ns[::every].tolist())
    else:
        assert frames is not None
        beyond = [number for number in frames if not 0 <= number < len(log)]
        if beyond:
            raise FormatError(
                path, log.name, f"there is no frame {beyond[0]}; the log has 0 to {len(log) - 1}"
            )
        kept = set(log.timestamps_ns[frames].tolist())
    return _only_at(labels, kept)


def _only_at(labels: LabelSet, kept_ns: set[int]) -> LabelSet:
    from fusion.labels import LabelSet

    thinned = (
        track.without(t for t in track.annotations if t not in kept_ns) for track in labels.tracks.values()
    )
    return LabelSet.of(track for track in thinned if track.annotations)


def _detections(format_name: str, path: Path, log: DriveLog) -> LabelSet:
    from formats.errors import FormatError
    from formats.registry import find_format

    source = find_format(path, format_name)
    if source.read_detections is None:
        raise FormatError(path, "", f"{source.title} has no reader of detections")
    return source.read_detections(path, log)
