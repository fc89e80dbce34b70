"""What commands share in speaking to a person: notes, progress, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fusion.log import DriveLog
from fusion.progress import Progress


def note(message: str) -> None:
    """One line to standard error, so that standard output stays for results."""
    print(message, file=sys.stderr)


def known_error(error: BaseException) -> str | None:
    """The one line that bad input is answered with; None where an error is a mistake of ours."""
    from calib.errors import CrosslabelError

    if isinstance(error, CrosslabelError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
    return None


def note_missing(log: DriveLog) -> None:
    """Says which frames a log lacks, one line a sensor."""
    by_sensor: dict[str, list[str]] = {}
    for frame in log.missing:
        by_sensor.setdefault(frame.sensor, []).append(frame.reason)
    for sensor, reasons in by_sensor.items():
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        note(f"{log.name}: {sensor}: {len(reasons)} missing and skipped: {reasons[0]}{more}")


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on standard error where that is a screen; silent otherwise."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, object] = {}

        def update(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bars.add_task(f"{title} {task}".strip(), total=total)
            bars.update(tasks[task], completed=done, total=total)  # type: ignore[arg-type]

        yield update
