"""`crosslabel effort`: what labelling in the viewer cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MOST_LINES = 20


def run(
    labels: Annotated[Path, typer.Argument(help="The labels.db that was worked on in the viewer.")],
    csv: Annotated[Path | None, typer.Option(help="Write one line for every box to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every box and every object.")] = False,
) -> None:
    """Print actions (drags, clicks, keys) and active seconds for each object that was worked on.

    Time in which nothing was done for more than five seconds does not count.
    """
    import json
    from dataclasses import asdict

    from formats.errors import FormatError
    from scripts.console import note
    from viewer.effort import by_box, by_track, effort_file, read_effort, write_csv

    path = effort_file(labels)
    if not path.is_file():
        raise FormatError(labels, "", "nobody has worked on it in the viewer yet")
    noted = read_effort(path)
    boxes, tracks = by_box(noted), by_track(noted)
    if csv is not None:
        write_csv(csv, boxes)
        note(f"{len(boxes)} boxes in {csv}")
    if as_json:
        print(
            json.dumps(
                {"boxes": [asdict(b) for b in boxes], "objects": [asdict(t) for t in tracks]}, indent=1
            )
        )
        return
    mine = sorted((track for track in tracks if track.track), key=lambda track: -track.seconds)
    print(f"{'object':>12} {'class':<20} {'boxes':>6} {'actions':>8} {'seconds':>8}")
    for track in mine[:MOST_LINES]:
        count = sum(box.track == track.track for box in boxes)
        print(f"{track.track:>12} {track.category:<20} {count:6} {track.actions:8} {track.seconds:8.1f}")
    if len(mine) > MOST_LINES:
        print(f"... and {len(mine) - MOST_LINES} more that took less time; --csv lists all")
    actions, seconds = sum(one.actions for one in tracks), sum(one.seconds for one in tracks)
    print(f"objects: {len(mine)}, actions: {actions}, minutes: {seconds / 60:.1f}, looking around included")
