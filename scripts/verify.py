"""`crosslabel verify`: whether a release is still what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    release: Annotated[Path, typer.Argument(help="Folder that `crosslabel release` wrote.")],
    sha256: Annotated[
        str | None, typer.Option(help="What release.json must hash to, as it was published.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is wrong as JSON.")] = False,
) -> None:
    """Check every byte, every count and every split of a release; exit code 1 if anything is wrong."""
    import json
    from dataclasses import asdict

    from formats.release import Problem, verify
    from formats.release.write import MANIFEST, file_sha256
    from scripts.console import note, progress_bar

    with progress_bar("verifying") as progress:
        problems = verify(release, progress)
    found = file_sha256(release / MANIFEST)
    if sha256 is not None and found != sha256.lower():
        problems.insert(0, Problem("REL2", MANIFEST, "is not the one that was published"))
    if as_json:
        said = {"sha256": found, "problems": [asdict(one) for one in problems]}
        typer.echo(json.dumps(said, indent=2))
    else:
        for one in problems:
            typer.echo(f"{one.id} {one.path}: {one.words}")
    note(f"{release}: {len(problems)} problems" if problems else f"{release}: as it was released ({found})")
    if problems:
        raise typer.Exit(1)
