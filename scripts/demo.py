"""`crosslabel demo`: the main job on a simulated drive, from nothing to labels, a data set and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes.")] = Path(
        "crosslabel-demo"
    ),
    seconds: Annotated[float, typer.Option(min=1.0, max=60.0, help="Length of the drive.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Another seed, another street.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier demo in OUT.")] = False,
) -> None:
    """Simulate a drive, label it from every tenth frame, measure, export to nuScenes, draw pictures.

    Every step prints the command that does the same on your own data.
    """
    import dataclasses
    import shutil

    from autolabel.config import Config
    from autolabel.runs import Given, label_log
    from formats.errors import FormatError
    from formats.nuscenes import NUSCENES
    from fusion.evaluate import evaluate
    from fusion.simulate import SimulationConfig, simulate, visible_only
    from scripts.autolabel import _only_at
    from scripts.console import note, progress_bar
    from scripts.evaluate import print_evaluation
    from scripts.logs import labels_of
    from scripts.render import draw_log

    if out.exists() and any(out.iterdir()):
        if not force:
            raise FormatError(out, "", "is not empty; --force replaces it, --out names another folder")
        if not (out / "drive").is_dir():
            raise FormatError(out, "", "does not look like an earlier demo: it is left alone")
        shutil.rmtree(out)
    assert NUSCENES.write is not None
    assert NUSCENES.open_log is not None
    drive, labels_dir = out / "drive", out / "labels"

    note(f"1. simulate {seconds:g} s of driving, and write it with its true labels in nuScenes style")
    ready = SimulationConfig.demo()
    last_frame_too_s = seconds + 1 / ready.sweep_hz
    log, everything = simulate(dataclasses.replace(ready, seconds=last_frame_too_s, seed=seed))
    with progress_bar("sensors") as progress:
        truth = visible_only(log, everything)
        NUSCENES.write(drive, [(log, truth)], progress=progress)
    note(f"   crosslabel info {drive}")
    log = NUSCENES.open_log(drive, log.name)

    note("2. label all frames from the labels of every tenth")
    truth = labels_of(drive, log)
    keyframes_ns = set(log.timestamps_ns[::10].tolist())
    note(f"   crosslabel autolabel {drive} --seed-labels {drive} --seed-every 10 --out {labels_dir}")
    with progress_bar("autolabel") as progress:
        given = Given(keyframes=_only_at(truth, keyframes_ns))
        label_log(log, given, labels_dir / log.name, Config(), progress=progress)
    labels = labels_of(labels_dir, log)

    note("3. compare with the truth, the given frames left out")
    note(f"   crosslabel evaluate {labels_dir} --truth {drive}")
    print_evaluation(log.name, evaluate(labels, truth, log, leave_out_ns=sorted(keyframes_ns)))

    note("4. export for training, key frames twice a second")
    command = f"--source {drive} --format nuscenes --keyframe-every 5 --out {out / 'nuscenes'}"
    note(f"   crosslabel export {labels_dir} {command}")
    with progress_bar("export") as progress:
        NUSCENES.write(out / "nuscenes", [(log, labels)], keyframe_every=5, progress=progress)

    note("5. draw the labels into every camera, and from above")
    note(f"   crosslabel render {drive} --labels {labels_dir} --out {out / 'pictures'}")
    with progress_bar("render") as progress:
        draw_log(log, labels, out / "pictures" / log.name, 1, False, True, progress)
    note(f"done; look at {out / 'pictures' / log.name}")
