"""`crosslabel demo`: the main job on a simulated drive, from nothing to labels, a data set and pictures."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scripts import autolabel, convert, evaluate, render, view


class Size(StrEnum):
    """How much is simulated."""

    TINY = "tiny"
    DEMO = "demo"
    FULL = "full"


def run(
    out: Annotated[Path, typer.Option(help="Folder for all that is made.")] = Path("crosslabel-demo"),
    seconds: Annotated[float, typer.Option(min=0.1, max=60.0, help="Length of the drive.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Another seed, another street.")] = 0,
    size: Annotated[Size, typer.Option(help="How dense the points, how large the images.")] = Size.DEMO,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier demo in OUT.")] = False,
    look: Annotated[
        bool, typer.Option("--view/--no-view", help="Open the viewer at the end, where there is a screen.")
    ] = True,
) -> None:
    """Simulate a drive, label it from every tenth frame, measure, convert to nuScenes, draw pictures, look.

    Each step prints the command that does the same on your own data.
    """
    from scripts.console import note

    drive, labels, dataset, pictures = (out / name for name in ("drive", "labels", "nuscenes", "pictures"))
    _make_room(out, drive, force)
    note(f"1. simulate {seconds:g} s of driving, and write it with its true labels in nuScenes style")
    _simulate(drive, seconds, seed, size)
    note(f"   crosslabel info {drive}")

    note("2. label all frames from the labels of every tenth")
    note(f"   crosslabel autolabel {drive} --seed-labels {drive} --seed-every 10 --out {labels}")
    autolabel.run([drive], labels, seed_labels=[drive], seed_every=10)

    note("3. compare with the truth")
    note(f"   crosslabel evaluate {labels} --truth {drive}")
    evaluate.run(labels, drive)

    note("4. write a data set for training, key frames twice a second")
    note(
        f"   crosslabel convert {drive} {dataset} --labels {labels} "
        "--format nuscenes --sensors --keyframe-every 5"
    )
    convert.run(drive, dataset, "nuscenes", labels, sensors=True, keyframe_every=5)

    note("5. draw the labels into every camera, and from above")
    note(f"   crosslabel render {drive} --labels {labels} --out {pictures}")
    render.run(drive, labels, pictures)

    note("6. look at the labels, and correct them")
    note(f"   crosslabel view {drive} --labels {labels}")
    if look and sys.stdin.isatty():  # somebody sits there
        _look(drive, labels)


def _look(drive: Path, labels: Path) -> None:
    """Opens the viewer; where that cannot be, the demo is complete without it."""
    from calib.errors import CrosslabelError
    from scripts.console import note

    try:
        view.run(drive, labels)
    except CrosslabelError as error:
        note(f"   {error}")


def _make_room(out: Path, drive: Path, force: bool) -> None:
    """Removes an earlier demo where that is wanted, and nothing else ever."""
    import shutil

    from formats.errors import FormatError

    if not out.exists() or not any(out.iterdir()):
        return
    if not force:
        raise FormatError(out, "", "is not empty; --force replaces it, --out names another folder")
    if not drive.is_dir():
        raise FormatError(out, "", "does not look like an earlier demo: it is left alone")
    shutil.rmtree(out)


def _simulate(drive: Path, seconds: float, seed: int, size: Size) -> None:
    import dataclasses

    from formats.nuscenes import NUSCENES
    from fusion.simulate import SimulationConfig, simulate, visible_only
    from scripts.console import progress_bar

    ready: SimulationConfig = getattr(SimulationConfig, size.value)()
    last_frame_too_s = seconds + 1 / ready.sweep_hz
    log, everything = simulate(dataclasses.replace(ready, seconds=last_frame_too_s, seed=seed))
    assert NUSCENES.write is not None
    with progress_bar("sensors") as progress:
        NUSCENES.write(drive, [(log, visible_only(log, everything))], progress=progress)
