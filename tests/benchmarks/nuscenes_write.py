"""Writing a nuScenes scene of 40 key frames, 400 sweeps of 120,000 points and six cameras, beside `cp -r`.

`python -m tests.benchmarks.nuscenes_write` makes a plain log on disk, writes it in nuScenes' layout, copies
what was written with `cp -r`, and prints the seconds of both and their ratio, each the best of five rounds
in turns: memory that was free for some seconds costs a virtual machine several times as much to fill.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from calib import SE3, Camera, Lidar, Pinhole, Rig, SE3Batch
from formats.folder import FOLDER
from formats.nuscenes import NUSCENES
from fusion import Annotation, Box3D, DriveLog, ImageRef, LabelSet, Sweep, SweepRef, Track, Trajectory

SWEEPS, POINTS, CAMERAS, IMAGES, OBJECTS = 400, 120_000, 6, 240, 60
SWEEP_NS, IMAGE_NS = 50_000_000, 83_333_333
WIDTH_PX, HEIGHT_PX, ROUNDS = 1600, 900, 5


def make(folder: Path) -> tuple[DriveLog, LabelSet]:
    """A log whose images lie on disk as JPEG and whose sweeps lie there as .bin, as recorders leave them."""
    rng = np.random.default_rng(0)
    times_ns = SWEEP_NS * np.arange(SWEEPS, dtype=np.int64)
    places = np.column_stack([times_ns / 1e8, np.zeros(SWEEPS), np.zeros(SWEEPS)])
    way = Trajectory(times_ns, SE3Batch(np.tile(np.eye(3), (SWEEPS, 1, 1)), places))
    model = Pinhole(1250.0, 1250.0, WIDTH_PX / 2, HEIGHT_PX / 2, WIDTH_PX, HEIGHT_PX)
    looking = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.5, 0, 1.5]))
    turns = [SE3.from_yaw(k * np.pi / 3) for k in range(CAMERAS)]
    cameras = tuple(Camera(f"cam_{k}", turn @ looking, model) for k, turn in enumerate(turns))
    rig = Rig.of((Lidar("top", SE3.from_yaw(0.0, (0.9, 0, 1.8))),), cameras)
    picture = cv2.resize(rng.integers(0, 255, (90, 160, 3), np.uint8), (WIDTH_PX, HEIGHT_PX))
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    images = {camera.name: tuple(_images(folder, camera.name, jpeg)) for camera in cameras}
    clouds = [(rng.random((POINTS, 3)) * [120, 120, 4] - [60, 60, 2]).astype(np.float32) for _ in range(4)]
    sweeps = tuple(
        SweepRef("top", int(t), partial(_sweep, int(t), clouds[k % 4])) for k, t in enumerate(times_ns)
    )
    log = DriveLog("scene", rig, way, times_ns, {"top": sweeps}, images)
    return log, LabelSet.of(_track(k, times_ns) for k in range(OBJECTS))


def _images(folder: Path, camera: str, jpeg: bytes) -> list[ImageRef]:
    refs = []
    for k in range(IMAGES):
        file = folder / camera / f"{k:06}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg)
        refs.append(
            ImageRef(camera, min(k * IMAGE_NS, (SWEEPS - 1) * SWEEP_NS), partial(cv2.imread, str(file)), file)
        )
    return refs


def _sweep(time_ns: int, points: np.ndarray) -> Sweep:
    ring = (np.arange(len(points)) % 32).astype(np.int32)
    return Sweep("top", time_ns, points, points[:, 0] * 0 + 0.5, ring, deskewed=True)


def _track(number: int, times_ns: np.ndarray) -> Track:
    box = Box3D.upright((number % 10 * 9 - 40, number // 10 * 12 - 30, 0), (4.5, 2, 1.6), number)
    return Track.of(str(number), "car", [Annotation(int(t), box) for t in times_ns])


def best_s(runs: Sequence[Callable[[Path], object]], folder: Path) -> list[float]:
    """Seconds of the fastest round of each, in turns, each into a new folder."""
    found = []
    for _ in range(ROUNDS):
        for run in runs:
            start = time.perf_counter()
            run(folder / "out")
            found.append(time.perf_counter() - start)
            shutil.rmtree(folder / "out")
    return [min(found[k :: len(runs)]) for k in range(len(runs))]


def main() -> None:
    """Makes, writes, copies, prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, labels = make(folder / "images")
        FOLDER.write(folder / "plain", [(log, labels)])  # type: ignore[misc]
        read = FOLDER.open_log(folder / "plain", "scene")  # type: ignore[misc]
        given = FOLDER.read_labels(folder / "plain", read)  # type: ignore[misc]

        def write(out: Path) -> None:
            NUSCENES.write(out, [(read, given)], keyframe_every=10, undistort=False)  # type: ignore[misc,call-arg]

        def copy(out: Path) -> None:
            subprocess.run(["cp", "-r", written, out], check=True)

        written = folder / "written"
        write(written)
        size = sum(file.stat().st_size for file in written.rglob("*") if file.is_file()) / 2**30
        ours_s, copied_s = best_s([write, copy], folder)
        print(
            f"{size:.2f} GiB: written {ours_s:.2f} s, cp -r {copied_s:.2f} s, ratio {ours_s / copied_s:.2f}"
        )


if __name__ == "__main__":
    main()
