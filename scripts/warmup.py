"""`crosslabel warmup`: compiles every kernel once, so that no later command waits for it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.labels import LabelSet

IMPORTED = re.compile(r"^from ([\w.]+_kernels) import", re.MULTILINE)


def run() -> None:
    """Compile all numerical kernels now and keep them, so that the first real run does not wait."""
    from scripts.console import note

    drop_stale_kernels(Path(__file__).parents[1])
    note(f"compiled in {warm_up():.1f} s")


def drop_stale_kernels(root: Path) -> int:
    """Removes compiled kernels older than the sources they were made from; returns how many files.

    numba compiles a kernel anew when its own file changes, but not when the file of a kernel that it calls
    does.
    """
    folders = [root / name for name in ("calib", "fusion", "formats", "autolabel")]
    dropped = 0
    for source in [path for folder in folders for path in folder.rglob("_*kernels.py")]:
        called = IMPORTED.findall(source.read_text(encoding="utf-8"))
        sources = [source, *(root.joinpath(*name.split(".")).with_suffix(".py") for name in called)]
        newest_s = max(path.stat().st_mtime for path in sources if path.is_file())
        for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.*.nb[ic]"):
            if compiled.stat().st_mtime < newest_s:
                with suppress(OSError):
                    compiled.unlink()
                    dropped += 1
    return dropped


def warm_up() -> float:
    """Runs the main job on a tiny simulated drive; returns seconds taken."""
    import time

    from autolabel import fit, propose
    from calib.refine import alignment
    from fusion.align import cloud_in_image, read_deskewed
    from fusion.evaluate import evaluate
    from fusion.sight import colour_cloud
    from fusion.simulate import SimulationConfig, simulate
    from fusion.views import views_of

    started_s = time.perf_counter()
    fit.ready()
    log, truth = simulate(SimulationConfig.tiny())
    propose(log, keyframes=truth)
    propose(log, keyframes=_at(truth, int(log.timestamps_ns[1])))
    propose(log)
    evaluate(truth, truth, log)
    for refs in log.sweeps.values():
        sweep = read_deskewed(log, refs[0])
        for images in log.images.values():
            cloud_in_image(log, sweep, images[0])
            images[0].read()
        colour_cloud(log, sweep, [images[0] for images in log.images.values()])
    for name, camera in log.rig.cameras.items():
        alignment(views_of(log, name, count=1), camera.ego_from_sensor)
    return time.perf_counter() - started_s


def _at(labels: LabelSet, timestamp_ns: int) -> LabelSet:
    """What is labelled in one frame."""
    from fusion.labels import LabelSet

    there = labels.at(timestamp_ns)
    return LabelSet.of(replace(track, annotations={timestamp_ns: annotation}) for track, annotation in there)
