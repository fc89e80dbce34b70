"""`crosslabel release`: the labels of many logs, frozen into one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from formats.release import Member
    from scripts.logs import LogAt

DEFAULT_SPLITS = "train=80,val=10,test=10"


def run(
    sources: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Logs or data sets.")],
    out: Annotated[Path, typer.Option(help="Folder to write; must be new or empty.")],
    name: Annotated[str, typer.Option(help="Name of the data set.")],
    labels: Annotated[
        Path | None, typer.Option(help="Labels to release: a labels.db, a folder of them, or any format.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of this release.")] = "1.0.0",
    licence: Annotated[str, typer.Option(help="Licence under which it may be used.")] = "",
    origin: Annotated[str, typer.Option("--source", help="Where the recordings come from.")] = "",
    date: Annotated[str, typer.Option(help="Date to write into it; none by default.")] = "",
    splits: Annotated[str, typer.Option(help="Shares of frames by split.")] = DEFAULT_SPLITS,
    seed: Annotated[int, typer.Option(help="Another one deals the logs out differently.")] = 0,
    previous: Annotated[
        Path | None, typer.Option(help="An earlier release: its logs stay in their splits.")
    ] = None,
    schema: Annotated[Path | None, typer.Option(help="The project's classes, a YAML file.")] = None,
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
) -> None:
    """Freeze labels into a versioned folder: sums of all files, splits by drive, who made every box.

    Logs that were cut from one drive, or follow each other within a minute, go into one split. The same
    labels give the same bytes. `crosslabel verify` checks it later.
    """
    from formats.files import read_bytes
    from formats.release import Notice, write_release
    from scripts.console import note, progress_bar
    from scripts.logs import logs_at

    chosen = logs_at(sources, None, log)
    if schema is not None:
        from viewer.schema import Schema

        Schema.read(schema)
    with progress_bar("releasing") as progress:
        manifest = write_release(
            out,
            lambda: (_member(at, labels) for at in chosen),
            Notice(name, version, licence, origin, date),
            shares=_shares(splits),
            seed=seed,
            known={} if previous is None else _splits_of(previous),
            schema=None if schema is None else read_bytes(schema),
            progress=progress,
        )
    for split, logs in manifest["splits"].items():
        frames = sum(entry["frames"] for entry in manifest["logs"] if entry["split"] == split)
        note(f"{split}: {len(logs)} logs, {frames:,} frames")
    note(f"written: {out} ({manifest['tracks']:,} tracks, {manifest['boxes']:,} boxes)")


def _member(at: LogAt, labels: Path | None) -> Member:
    from formats.release import Member
    from scripts.logs import labels_of

    drive = at.open()
    path = at.path if labels is None else labels
    return Member(drive, lambda: labels_of(path, drive), _run_of(path, drive.name))


def _run_of(path: Path, log_name: str) -> dict[str, Any]:
    """What the automatic labeller left beside its labels."""
    from autolabel.records import read_record
    from formats.labels_db import labels_file

    folder = path.parent if path.is_file() else labels_file(path, log_name).parent
    return read_record(folder) or (read_record(path) or {})


def _shares(text: str) -> dict[str, float]:
    from calib.errors import CrosslabelError

    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise CrosslabelError(f"--splits: {part!r} is no share such as train=80") from None
    return shares


def _splits_of(release: Path) -> dict[str, str]:
    from formats.fields import read_json_fields

    root = read_json_fields(release / "release.json")
    return {entry["name"].text(): entry["split"].text() for entry in root["logs"].entries()}
