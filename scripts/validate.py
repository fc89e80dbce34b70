"""`crosslabel validate`: whether a data set is what its format says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from formats.format import Format
    from formats.validate import Fault


def run(
    path: Annotated[Path, typer.Argument(help="A log or a data set.")],
    format: Annotated[str | None, typer.Option(help="Its format, if it is not to be recognised.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Read every n-th sweep and image only.")] = 1,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Not this rule, such as NUS21 (may be repeated).")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Exit code 1 for warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is wrong as JSON.")] = False,
) -> None:
    """Look for what other programs take without a word and stumble over later.

    Tokens that lead nowhere, chains that do not fit, files that are missing or of another size, instants,
    rotations, counts; and of every format whether all of it can be read. Exit code 1 if there are errors.
    """
    from calib.errors import CrosslabelError
    from formats.registry import find_format
    from formats.validate import RULES, Severity, validate
    from scripts.console import note, progress_bar

    unknown = sorted(set(ignore or ()) - {rule.id for rule in RULES})
    if unknown:
        raise CrosslabelError(f"--ignore: there is no rule {unknown[0]!r}")
    source = find_format(path, format)
    with progress_bar("reading") as progress:
        found = validate(source, path, every=every, progress=progress)
    faults = [fault for fault in found if fault.rule.id not in (ignore or ())]
    if as_json:
        typer.echo(_json(source, faults))
    else:
        for fault in faults:
            typer.echo(_line(fault))
    counts = [f"{sum(f.rule.severity is s for f in faults)} {s}s" for s in Severity if s is not Severity.INFO]
    note(f"{path} ({source.title}): {', '.join(counts)}" if faults else f"{path} ({source.title}): sound")
    bad = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    if any(fault.rule.severity in bad for fault in faults):
        raise typer.Exit(1)


def _line(fault: Fault) -> str:
    place = ": ".join(part for part in (fault.file, fault.place) if part)
    more = f" (and {fault.count - 1:,} more)" if fault.count > 1 else ""
    return f"{fault.rule.id} {fault.rule.severity} {place}: {fault.rule.title}: {fault.words}{more}"


def _json(source: Format, faults: list[Fault]) -> str:
    import json

    said = [
        {
            "rule": fault.rule.id,
            "severity": fault.rule.severity,
            "title": fault.rule.title,
            "file": fault.file,
            "place": fault.place,
            "words": fault.words,
            "count": fault.count,
        }
        for fault in faults
    ]
    return json.dumps({"format": source.name, "faults": said}, indent=2)
