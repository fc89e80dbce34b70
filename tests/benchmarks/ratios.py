"""How many times faster our way is than another, measured in turns in one run.

`python -m tests.benchmarks.ratios` measures and writes docs/benchmarks.md.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

    python -m tests.benchmarks.ratios

writes this page; `pytest tests/benchmarks --benchmark-enable` checks the limits in the last column. Both
sides of a row run in one process on one thread, a few rounds of one and a few of the other by turns so
that each finds its memory warm, and the fastest round of each counts, in processor time. They get the
same arrays in memory. The tests beside the script check that they give the same answer. The ways of
others are written down in `tests/benchmarks/ways.py` from the formulas that they publish.

"""
SCENES = """
**Projection** is of 120,000 points of a spinning 64-beam LiDAR into six cameras of 1600x900 pixels that
fire at instants of their own while the car drives, composing the transforms included. nuscenes-devkit
moves its float32 cloud four times and projects every point; the first row has the cloud as
`LidarPointCloud.from_file` leaves it, the second one after the user copied it coordinate by coordinate,
which numpy likes better. Argoverse 2 moves float64 points once; how long that takes hangs on whether the
C library hands the memory of large temporary arrays back to the system, as it does by default. In the
row "keeping memory" it was told not to (`MALLOC_MMAP_THRESHOLD_`, `MALLOC_TRIM_THRESHOLD_`), which is
the best case for Argoverse 2. Neither applies lens distortion; ours does in the row that says so and is
compared with Argoverse 2 without. Ours gives the points, pixels and depths that are in the image;
nuscenes-devkit does too, Argoverse 2 gives all points and a mask. Ours skips blocks of consecutive
points that a camera cannot see, so a shuffled cloud gains less.

"Copying the points six times" is what any way of doing this has to beat: `np.copyto` of the float32 points
into six arrays. There, "times as fast" is below one.

**Camera families** are 20,000 points all around one camera through `model.project`, which gives pixels,
depth and validity of every one of them. "Rolling shutter" is the cloud of 120,000 points of the first rows
through `project_through_shutter` into the front camera with such a lens, read out in 30 ms at 14 m/s and
17 deg/s, the walls of the street as near as a metre.

**Colours** are `colour_points` of the points that the front camera sees, from an image of noise, with the
choice of the best camera for each of 120,000 points; OpenCV's `remap`, in one thread, only takes the
colours at their pixels.

**Points in boxes** are the indices of 120,000 points in each of 50 boxes; **IoU** is of each of 100 turned
boxes with each of 100 others, against shapely with a polygon a box and one pair at a time.
"""


@dataclass(frozen=True)
class Comparison:
    """Our way and another of doing one thing; `prepare` makes what theirs overwrites, off the clock."""

    what: str
    whose: str
    ours: Callable[[], object]
    theirs: Callable[[object], object]
    at_least: float
    prepare: Callable[[], object] = lambda: None


def comparisons() -> list[Comparison]:
    """All of them, with their scenes made."""
    from fusion.overlap import iou_3d, iou_bev, points_in_boxes
    from tests.benchmarks import scenes, ways

    plain, distorted, shuffled = scenes.Scene(), scenes.Scene(scenes.DISTORTION), scenes.Scene(shuffle=True)
    street, crowd, painted = scenes.street(), scenes.crowd(), scenes.Painted(plain)
    projection = "120,000 points into 6 cameras"

    def nuscenes(order: str, at_least: float) -> Comparison:
        return Comparison(
            projection,
            f"nuscenes-devkit, cloud {order}",
            lambda: ways.ours(plain),
            lambda clouds: ways.nuscenes(plain, clouds),
            at_least,
            lambda: ways.nuscenes_clouds(plain, order),
        )

    return [
        nuscenes("as loaded", 40),
        nuscenes("row by row", 15),
        Comparison(projection, "Argoverse 2", lambda: ways.ours(plain), lambda _: ways.argoverse(plain), 25),
        Comparison(
            f"{projection}, 5 distortion coefficients",
            "Argoverse 2 without distortion",
            lambda: ways.ours(distorted),
            lambda _: ways.argoverse(distorted),
            15,
        ),
        Comparison(
            f"{projection}, shuffled",
            "Argoverse 2",
            lambda: ways.ours(shuffled),
            lambda _: ways.argoverse(shuffled),
            8,
        ),
        Comparison(
            projection,
            "copying the points six times",
            lambda: ways.ours(plain),
            lambda _: ways.copy_six_times(plain),
            0.15,
        ),
        Comparison(
            "colours for the points in one image",
            "cv2.remap",
            lambda: ways.colours(painted),
            lambda _: ways.remapped(painted),
            0.8,
        ),
        Comparison(
            "120,000 points in 50 boxes",
            "nuscenes-devkit",
            lambda: points_in_boxes(*street),
            lambda _: ways.devkit_points(*street),
            20,
        ),
        Comparison(
            "IoU from above, 100 x 100 boxes",
            "shapely, pair by pair",
            lambda: iou_bev(*crowd),
            lambda _: ways.shapely_pairs(*crowd),
            20,
        ),
        Comparison(
            "IoU in 3D, 100 x 100 boxes",
            "shapely, pair by pair, areas only",
            lambda: iou_3d(*crowd),
            lambda _: ways.shapely_pairs(*crowd),
            20,
        ),
    ]


def measure(comparison: Comparison, turns: int = 4) -> tuple[float, float]:
    """Milliseconds of our way and of theirs, the fastest round of each."""
    ours_s, theirs_s = [], []
    for _ in range(turns):
        for _ in range(5):
            prepared = comparison.prepare()
            theirs_s.append(seconds(partial(comparison.theirs, prepared)))
        ours_s += [seconds(comparison.ours) for _ in range(40)]
    return 1e3 * min(ours_s), 1e3 * min(theirs_s)


def seconds(run: Callable[[], object]) -> float:
    """Processor time of one call on this thread: others may use the machine meanwhile."""
    start = time.thread_time()
    run()
    return time.thread_time() - start


def table(found: list[tuple[Comparison, float, float]]) -> str:
    """The results in Markdown."""
    lines = ["| what | ours | against | theirs | times as fast | at least |", "|---|--:|---|--:|--:|--:|"]
    for c, ours, theirs in found:
        times = f"**{theirs / ours:.2g}** | {c.at_least:.2g}"
        lines.append(f"| {c.what} | {ours:.2f} ms | {c.whose} | {theirs:.3g} ms | {times} |")
    return "\n".join(lines) + "\n"


def families() -> str:
    """How fast every family of cameras is, at once and through a rolling shutter, in Markdown."""
    from calib.shutter import project_through_shutter
    from tests.benchmarks import scenes

    points, scene = scenes.all_around(), scenes.Scene()
    lines = ["", "| camera | ns a point | rolling shutter | of it seen |", "|---|--:|--:|--:|"]
    for name, model in scenes.FAMILIES.items():
        shot = partial(project_through_shutter, *scene.shutter(model))
        at_once_s, rolling_s = (
            min(seconds(run) for _ in range(60)) for run in (partial(model.project, points), shot)
        )
        speeds = f"{1e9 * at_once_s / len(points):.1f} | {1e3 * rolling_s:.1f} ms"
        lines.append(f"| {name} | {speeds} | {len(shot().index):,} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """The machine and the versions in words."""
    from importlib.metadata import version

    info = Path("/proc/cpuinfo")
    names = [
        line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
    ]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "shapely"))
    python = ".".join(map(str, sys.version_info[:3]))
    where = f"a shared virtual machine with {len(names)} cores ({names[0]})"
    return f"\nMeasured on {where}; Python {python}, {libraries}.\n"


def keeping_memory(number: int) -> tuple[Comparison, float, float]:
    """One comparison in a process of its own whose C library never hands memory back."""
    keep = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
    code = f"from tests.benchmarks.ratios import *; print(*measure(comparisons()[{number}]))"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **keep}, capture_output=True, text=True, check=True
    )
    ours_ms, theirs_ms = map(float, run.stdout.split())
    comparison = comparisons()[number]
    return replace(comparison, whose=f"{comparison.whose}, keeping memory", at_least=15), ours_ms, theirs_ms


def main() -> None:
    """Measures everything, prints the table and writes the page."""
    found = [(comparison, *measure(comparison)) for comparison in comparisons()]
    found.insert(3, keeping_memory(2))
    tables = table(found) + families()
    print(tables)
    PAGE.write_text(HEAD + tables + machine() + SCENES)


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.benchmarks.ratios"], {**os.environ, **ONE_THREAD}
        )
    main()
