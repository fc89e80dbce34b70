"""How far refinement can be trusted: `python -m tests.benchmarks.refinement --cache FOLDER`.

Parameters were set on simulated drives with seeds below 100; what is reported comes from real frames and
from simulated drives with seeds from 100 on. Prints JSON; `--docs` renews the tables of docs/refinement.md.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from calib import SE3
from calib.refine import Refinement, RefineOptions, View, image_edges, refine, scan_edges, view_of
from calib.refine.rings import RingsUnknownError
from calib.refine.spread import blocks_of
from formats.images import read_rgb
from formats.pointcloud import read_points
from formats.registry import find_format
from formats.rigs.opencalib import read_opencalib
from fusion.views import views_of
from tests.benchmarks.refinement_tables import write_tables
from tests.benchmarks.rendered import FRAMES, rendered_log

REPOSITORY = Path(__file__).parents[2]
IN_DEG_AND_CM = np.array([180 / np.pi] * 3 + [100.0] * 3)
CAMERAS = ("cam_front", "cam_front_left", "cam_back_right")


@dataclass(frozen=True)
class Scene:
    """Views of one camera, and its true or shipped mount."""

    name: str
    views: list[View]
    ego_from_cam: SE3


@dataclass(frozen=True)
class Trial:
    """One refinement and how far it ended from the truth: degrees about and cm along the camera's axes."""

    refinement: Refinement
    error: np.ndarray
    seconds: float

    @property
    def turn_deg(self) -> float:
        return float(np.linalg.norm(self.error[:3]))

    @property
    def shift_cm(self) -> float:
        return float(np.linalg.norm(self.error[3:]))


def kitti(data: Path) -> Scene:
    path = data / "kitti_camera_lidar" / "training"
    found = find_format(path)
    log = found.open_log(path, found.log_ids(path)[0])
    return Scene("KITTI", views_of(log, "image_02"), log.rig.cameras["image_02"].ego_from_sensor)


def road(data: Path) -> Scene:
    folder = data / "calib_road"
    rig = read_opencalib(folder, size_px=(1920, 1200))
    (camera,), (lidar,) = rig.cameras.values(), rig.lidars.values()
    edges = scan_edges(read_points(folder / "0.pcd").points)
    image, ego_from_cam = read_rgb(folder / "0.png"), camera.ego_from_sensor
    view = view_of(edges, lidar.ego_from_sensor, image, camera.model, ego_from_cam)
    return Scene("calib_road", [view], ego_from_cam)


def drives(cache: Path, seeds: list[int]) -> list[Scene]:
    scenes = []
    for seed in seeds:
        log = rendered_log(cache, seed, CAMERAS)
        for camera in CAMERAS:
            views = views_of(log, camera, frames=range(len(FRAMES)))
            scenes.append(Scene(f"{log.name} {camera}", views, log.rig.cameras[camera].ego_from_sensor))
    return scenes


def ringless_drives(cache: Path, seeds: list[int]) -> list[Scene]:
    """The same as if nothing told the rings."""
    with patch("fusion.views.scan_edges", side_effect=RingsUnknownError):
        return drives(cache, seeds)


def trial(scene: Scene, seed: int, turn_deg=1.0, shift_m=0.1, options: RefineOptions | None = None) -> Trial:
    rng = np.random.default_rng(10_000 + seed)
    turn_rad = np.radians(rng.uniform(-turn_deg, turn_deg, 3))
    cam_from_given_cam = SE3.from_rotation_vector(turn_rad, rng.uniform(-shift_m, shift_m, 3))
    ego_from_given_cam = scene.ego_from_cam @ cam_from_given_cam
    begin = time.process_time()
    answer = refine(scene.views, ego_from_given_cam, options, seed)
    seconds = time.process_time() - begin
    return Trial(answer, error_of(scene.ego_from_cam, answer.ego_from_found_cam), seconds)


def error_of(ego_from_cam: SE3, ego_from_found_cam: SE3) -> np.ndarray:
    found_cam_from_cam = ego_from_found_cam.inverse() @ ego_from_cam
    return found_cam_from_cam.vector * IN_DEG_AND_CM


def summary(trials: list[Trial]) -> dict:
    good = [t for t in trials if t.refinement.accepted]
    turns, shifts = np.array([t.turn_deg for t in good]), np.array([t.shift_cm for t in good])
    if not good:
        return {"trials": len(trials), "accepted": 0.0}
    return {
        "trials": len(trials),
        "accepted": len(good) / len(trials),
        "median_deg": float(np.median(turns)),
        "worst_deg": float(turns.max()),
        "median_cm": float(np.median(shifts)),
        "worst_cm": float(shifts.max()),
        "mean_error": np.mean([t.error for t in good], axis=0).round(3).tolist(),
        "within_0.25deg_5cm": float(np.mean((turns < 0.25) & (shifts < 5))),
        "seconds": float(np.median([t.seconds for t in trials])),
    }


def repeatability(scene: Scene, seeds: int) -> dict:
    """Answers of even and odd views, from different starts, against each other."""
    halves = [replace(scene, views=scene.views[side::2]) for side in (0, 1)]
    options = RefineOptions(fewest_views=4)
    pairs = [[trial(half, 2 * s + k, options=options) for k, half in enumerate(halves)] for s in range(seeds)]
    mounts = [[t.refinement.ego_from_found_cam for t in pair] for pair in pairs]
    apart = np.array([error_of(a, b) for a, b in mounts])
    return {
        "median_deg": float(np.median(np.linalg.norm(apart[:, :3], axis=1))),
        "median_cm": float(np.median(np.linalg.norm(apart[:, 3:], axis=1))),
    }


def coverage(trials: list[Trial]) -> dict:
    """Share of the six numbers of each trial that lie within their intervals."""
    inside = {0.68: [], 0.95: []}
    for each in trials:
        for level, hits in inside.items():
            half = each.refinement.half_width(level) * IN_DEG_AND_CM
            hits.append(np.abs(each.error) <= half)
    rows = {f"{level:.0%}": np.array(hits) for level, hits in inside.items()}
    return {
        name: {"all": float(h.mean()), "by_axis": h.mean(axis=0).round(2).tolist()}
        for name, h in rows.items()
    }


def with_images(views: list[View], others: list[View]) -> list[View]:
    return [replace(a, field=b.field, neutral=b.neutral) for a, b in zip(views, others, strict=False)]


def blank(views: list[View], rng: np.random.Generator, kind: int) -> list[View]:
    """Even, dark with a little noise, or nothing but noise."""
    made = []
    for view in views:
        size = view.field.shape[1:]
        noise = rng.normal(0, (0.0, 1.5, 60.0)[kind], size)
        field = image_edges(np.clip((128, 12, 128)[kind] + noise, 0, 255).astype(np.uint8))
        made.append(replace(view, field=field, neutral=field.mean(axis=(1, 2))))
    return made


def nasty(scenes: list[Scene], kind: str, seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    scene, other = (scenes[k] for k in rng.choice(len(scenes), 2, replace=len(scenes) < 2))
    views, count = list(scene.views), len(scene.views)
    far = (3.0, 0.3) if kind == "start too far off" else (1.0, 0.1)
    if kind == "one frame":
        views = [views[rng.integers(count)]]
    elif kind == "one frame, many times":
        views = [views[rng.integers(count)]] * 12
    elif kind == "six frames":
        views = [views[k] for k in sorted(rng.choice(count, 6, replace=False))]
    elif kind == "no texture":
        views = blank(views, rng, seed % 3)
    elif kind == "images of other frames":
        views = with_images(
            views, np.roll(np.array(views, dtype=object), int(rng.integers(2, count - 1))).tolist()
        )
    elif kind == "images one frame late":
        views = with_images(views[:-1], views[1:])
    elif kind == "images of another drive":
        if views[0].field.shape == other.views[0].field.shape and scene is not other:
            views = with_images(views, other.views)
        else:
            views = with_images(views, views[::-1])
    elif kind == "half of the images wrong":
        wrong = with_images(views, views[count // 2 :] + views[: count // 2])
        views = [a if k % 2 else b for k, (a, b) in enumerate(zip(views, wrong, strict=True))]
    return trial(replace(scene, views=views), seed, *far)


NASTY = (
    "one frame",
    "one frame, many times",
    "six frames",
    "no texture",
    "images of other frames",
    "images one frame late",
    "images of another drive",
    "half of the images wrong",
    "start too far off",
)


def nasty_table(scenes: list[Scene], count: int) -> dict:
    rows: dict[str, list[Trial]] = {kind: [] for kind in NASTY}
    for seed in range(count):
        kind = NASTY[seed % len(NASTY)]
        rows[kind].append(nasty(scenes, kind, seed))
    return {kind: summary(trials) for kind, trials in rows.items() if trials}


def measured(arguments: argparse.Namespace) -> dict:
    seen = kitti(arguments.data)
    simulated = drives(arguments.cache, arguments.seeds)
    runs = [trial(scene, seed) for seed, scene in enumerate(simulated)]
    blurred = [
        trial(scene, seed) for seed, scene in enumerate(ringless_drives(arguments.cache, arguments.seeds))
    ]
    one = trial(road(arguments.data), 0)
    return {
        "kitti": summary([trial(seen, seed) for seed in range(arguments.trials)]),
        "kitti_places": int(blocks_of(seen.views).max()) + 1,
        "kitti_repeatability": repeatability(seen, max(arguments.trials // 10, 2)),
        "calib_road": {"accepted": one.refinement.accepted, "reason": one.refinement.reason},
        "simulated": summary(runs),
        "simulated_coverage": coverage(runs),
        "ringless": summary(blurred),
        "ringless_coverage": coverage(blurred),
        "nasty": nasty_table([seen, *simulated], arguments.nasty),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for rendered frames")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--trials", type=int, default=50, help="starts on the KITTI frames")
    parser.add_argument("--nasty", type=int, default=300, help="trials that should be refused")
    parser.add_argument(
        "--seeds", type=int, nargs="*", default=list(range(100, 108)), help="simulated drives"
    )
    parser.add_argument("--docs", type=Path, help="whose tables to renew, such as docs/refinement.md")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    figures = measured(arguments)
    print(json.dumps(figures, indent=1))
    if arguments.docs is not None:
        write_tables(arguments.docs, figures)


if __name__ == "__main__":
    main()
