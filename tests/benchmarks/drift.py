"""How soon the drift alarm finds a camera that moved, and whether it keeps still otherwise.

`python -m tests.benchmarks.drift` measures and writes docs/drift.md.
"""

import copy
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from calib import SE3
from calib.drift import DriftMonitor, DriftReport
from calib.drift.turns import turned
from calib.refine.view import View
from calib.types import F64
from tests.benchmarks import drift_drives
from tests.benchmarks import drift_page as page
from tests.benchmarks.drift_drives import FRAMES, Watched
from tests.benchmarks.drift_page import AXES, SIZES_DEG, Trial

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "drift.md"
SHARED_DATA = Path(os.environ.get("CROSSLABEL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
SEEDS = (100, 101, 102)
MOVES_AT, KITTI_REFERENCE = 30, 6
CREEP_DEG = 0.025


# The view of a frame after a turn about an axis by so many degrees.
Turned = Callable[[int, int, float], View]


def fed(monitor: DriftMonitor, views: Iterable[View]) -> DriftMonitor:
    """The monitor after some more views."""
    for view in views:
        monitor.add(view)
    return monitor


def turns() -> list[tuple[int, float]]:
    """Every axis, size and way."""
    return [(axis, sign * size) for size in SIZES_DEG for axis in range(3) for sign in (-1.0, 1.0)]


def turn_rad(axis: int, turn_deg: float) -> F64:
    """(3,) rotation vector."""
    return np.asarray(np.radians(turn_deg) * np.eye(3)[axis], dtype=np.float64)


def trials_after(monitor: DriftMonitor, seen: Turned, frames: Sequence[int]) -> list[Trial]:
    """Every turn, from the next frame on, each time from the same undisturbed beginning."""
    moved_at, found = monitor.frames, []
    for axis, turn_deg in turns():
        views = (seen(frame, axis, turn_deg) for frame in frames)
        found.append(Trial(axis, turn_deg, moved_at, fed(copy.deepcopy(monitor), views).alarm))
    return found


def turned_views(drive: Watched) -> Turned:
    """Views of a drive after turns."""
    return lambda frame, axis, turn_deg: drive.turned(frame, turn_rad(axis, turn_deg))


def on_simulated(drive: Watched) -> tuple[list[Trial], DriftReport]:
    """Turns after 30 undisturbed frames, and the whole drive undisturbed."""
    monitor = fed(DriftMonitor(drive.camera.ego_from_sensor), drive.views[:MOVES_AT])
    trials = trials_after(monitor, turned_views(drive), range(MOVES_AT, FRAMES))
    return trials, fed(monitor, drive.views[MOVES_AT:]).report()


def truly_turned(drive: Watched, seed: int, axis: int, turn_deg: float) -> Trial:
    """A turn whose images were rendered with a turned camera, not made from the others."""
    monitor = fed(DriftMonitor(drive.camera.ego_from_sensor), drive.views[:MOVES_AT])
    frames = range(MOVES_AT, FRAMES)
    views = drift_drives.rendered_turned(seed, turn_rad(axis, turn_deg), frames)
    return Trial(axis, turn_deg, MOVES_AT, fed(monitor, views).alarm)


def creeping(drive: Watched, axis: int) -> Trial:
    """A turn that grows by 0.025 degrees a frame from frame 20 on; its size is that at the alarm."""
    monitor, frame = fed(DriftMonitor(drive.camera.ego_from_sensor), drive.views[:20]), 20
    while frame < FRAMES and monitor.alarm is None:
        monitor.add(drive.turned(frame, turn_rad(axis, CREEP_DEG * (frame - 19))))
        frame += 1
    return Trial(axis, CREEP_DEG * (frame - 20), 20, monitor.alarm)


def badly_given(drive: Watched) -> list[tuple[str, DriftReport]]:
    """Undisturbed drives whose given mount is off from the beginning."""
    mount, reports = drive.camera.ego_from_sensor, []
    for axis in range(3):
        wrong = turned(mount, turn_rad(axis, 0.5))
        reports.append((f"0.5 deg of {AXES[axis]}", fed(DriftMonitor(wrong), drive.views).report()))
    for axis, name in enumerate(("x", "y", "z")):
        shift_m = SE3(np.eye(3), 0.05 * np.eye(3)[axis])
        wrong = mount @ shift_m
        reports.append((f"5 cm along camera {name}", fed(DriftMonitor(wrong), drive.views).report()))
    return reports


def on_kitti(drive: Watched) -> tuple[list[Trial], list[DriftReport]]:
    """Twelve frames begun at each of them, forwards and backwards: six make the reference, six are turned."""
    trials, undisturbed, seen = [], [], cache(turned_views(drive))
    for step in (1, -1):
        for shift in range(12):
            order = [(shift + step * k) % 12 for k in range(12)]
            start = DriftMonitor(drive.camera.ego_from_sensor, reference_frames=KITTI_REFERENCE)
            monitor = fed(start, (drive.views[k] for k in order[:KITTI_REFERENCE]))
            trials += trials_after(monitor, seen, order[KITTI_REFERENCE:])
            rest = (drive.views[k] for k in order[KITTI_REFERENCE:])
            undisturbed.append(fed(monitor, rest).report())
    return trials, undisturbed


@dataclass(frozen=True)
class Simulated:
    """All that is tried on one simulated drive."""

    trials: list[Trial]
    still: DriftReport
    rendered: Trial
    creep: Trial
    wrong: list[tuple[str, DriftReport]]


def tried_on(number: int) -> Simulated:
    """Everything for one seed; the turns that are rendered, and that creep, take turns."""
    seed = SEEDS[number]
    drive = drift_drives.simulated(seed)
    trials, still = on_simulated(drive)
    rendered = truly_turned(drive, seed, number % 3, (-0.25, 0.25)[number % 2])
    return Simulated(trials, still, rendered, creeping(drive, number % 3), badly_given(drive))


def tried_on_kitti() -> tuple[list[Trial], list[DriftReport]] | None:
    """The same for the real frames, if they are there."""
    return on_kitti(drift_drives.kitti(SHARED_DATA)) if SHARED_DATA.is_dir() else None


def main() -> None:
    """Measures everything and writes the page."""
    with ProcessPoolExecutor(max_workers=len(SEEDS) + 1) as pool:
        real = pool.submit(tried_on_kitti)
        drives = list(pool.map(tried_on, range(len(SEEDS))))
        kitti = real.result()
    still = [drive.still for drive in drives]
    parts = [
        page.HEAD,
        page.SIMULATED.format(seeds=", ".join(map(str, SEEDS)), at=MOVES_AT),
        page.table([trial for drive in drives for trial in drive.trials], FRAMES - MOVES_AT),
        page.undisturbed_line(still) + "\n" + page.coverage(still),
        page.RENDERED + page.rendered_rows([drive.rendered for drive in drives]),
        page.CREEPS + page.creep_rows([drive.creep for drive in drives]),
        page.WRONG + page.wrong_rows([entry for drive in drives for entry in drive.wrong]),
    ]
    if kitti is not None:
        trials, quiet = kitti
        parts += [
            page.KITTI,
            page.table(trials, 12 - KITTI_REFERENCE)
            + "\n"
            + page.undisturbed_line(quiet)
            + "\n"
            + page.coverage(quiet),
        ]
    text = "\n".join(parts)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
