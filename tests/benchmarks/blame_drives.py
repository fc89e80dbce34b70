"""2D evidence for box, calibration or clock: what simulated images truly show, and what a network finds."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from autolabel.detect.yolox import Yolox
from calib.cameras import CameraModel
from calib.types import F64, I64
from formats.registry import find_format
from fusion.checks.evidence import Evidence, evidence_in
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig
from fusion.simulate.drive import Drive
from fusion.simulate.render import Shot, pixel_rays
from tests.benchmarks.rendered import save

STYLES = ("straight", "curve", "stop")
SECONDS, EVERY_FRAME = 20.0, 1
EVERY_PX, FEWEST_PIXELS = 3, 8
NOISE_PX, NOISE_SHARE, MISSED, WRONG, WRONG_SHARE, SMALLEST_PX = 2.0, 0.02, 0.1, 0.03, 0.3, 8.0


@dataclass(frozen=True)
class Case:
    """A drive with 3D boxes and with rectangles that do not come from them."""

    name: str
    log: DriveLog
    labels: LabelSet
    evidence: list[Evidence]


def config_of(seed: int) -> SimulationConfig:
    return SimulationConfig(
        name=f"sim{seed}", seed=seed, seconds=SECONDS, style=STYLES[seed % 3], ego_speed_mps=7.0 + seed % 4
    )


def sparse_rays(model: CameraModel) -> F64:
    """(M, 3) rays through every few pixels of every few rows."""
    every = pixel_rays(model)[0].reshape(model.height_px, model.width_px, 3)
    return every[::EVERY_PX, ::EVERY_PX].reshape(-1, 3).astype(np.float64)


def silhouettes(drive: Drive, camera: str, frame: int, rays_cam: F64) -> tuple[I64, F64]:
    """(M,) actors that an image shows and the (M, 4) rectangles around what can be seen of each."""
    sensor = drive.rig.cameras[camera]
    width_px, height_px = sensor.model.width_px, sensor.model.height_px
    rows, columns = np.arange(0, height_px, EVERY_PX), np.arange(0, width_px, EVERY_PX)
    shot = Shot.of(sensor, drive.trajectory, drive.exposure_ns(camera, frame))
    world_from_cam = shot.world_from_cams[0]
    directions = world_from_cam.rotate(rays_cam)
    origins = np.tile(world_from_cam.translation, (len(directions), 1))
    owner = drive.scene.cast(np.hstack([origins, directions]), shot.times_ns).actor
    seen = owner >= 0
    actors, of, counts = np.unique(owner[seen], return_inverse=True, return_counts=True)
    uv_px = np.column_stack([np.tile(columns, len(rows)), np.repeat(rows, len(columns))])[seen]
    low, high = np.full((len(actors), 2), np.inf), np.full((len(actors), 2), -np.inf)
    np.minimum.at(low, of, uv_px)
    np.maximum.at(high, of, uv_px)
    # A thing ends between the last ray that meets it and the next one.
    ltrb_px = np.hstack([low - EVERY_PX / 2, high + EVERY_PX / 2])
    ltrb_px = np.clip(ltrb_px, 0, [width_px - 1, height_px - 1] * 2)
    large = counts >= FEWEST_PIXELS
    return actors[large], ltrb_px[large]


def simulated_evidence(drive: Drive, cache: Path) -> list[Evidence]:
    """What a person would draw who sees everything: around what is visible, to a pixel, with ids."""
    found, frames = [], range(0, drive.config.frames, EVERY_FRAME)
    for camera in drive.rig.cameras:
        path = cache / f"{drive.config.seed}_{camera}_silhouettes.npz"
        if not path.exists():
            rays_cam = sparse_rays(drive.rig.cameras[camera].model)
            told = [silhouettes(drive, camera, frame, rays_cam) for frame in frames]
            at = np.repeat(frames, [len(actors) for actors, _ in told])
            actors, ltrb_px = (np.concatenate(parts) for parts in zip(*told, strict=True))
            save(path, frames=at, actors=actors, ltrb_px=ltrb_px)
        with np.load(path) as kept:
            at, actors, ltrb_px = kept["frames"], kept["actors"], kept["ltrb_px"]
        for frame in frames:
            rows = np.flatnonzero(at == frame)
            those = [drive.actors[number] for number in actors[rows].tolist()]
            names, ids = tuple(one.body.category for one in those), tuple(one.id for one in those)
            found.append(Evidence(camera, drive.exposure_ns(camera, frame), ltrb_px[rows], names, None, ids))
    return found


def disturbed(evidence: Sequence[Evidence], seed: int) -> list[Evidence]:
    """As a network finds it: every edge off by 2 px and 2 %, a tenth missing, 3 % wrong, no ids."""
    rng, found = np.random.default_rng(1000 + seed), []
    for told in evidence:
        size_px = np.tile(told.ltrb_px[:, 2:] - told.ltrb_px[:, :2], (1, 2))
        ltrb_px = told.ltrb_px + rng.normal(size=size_px.shape) * np.hypot(NOISE_PX, NOISE_SHARE * size_px)
        wrong = rng.random(len(told)) < WRONG
        ltrb_px[wrong] += rng.normal(size=(int(wrong.sum()), 4)) * WRONG_SHARE * size_px[wrong]
        large = size_px.min(axis=1, initial=np.inf) > SMALLEST_PX
        kept = np.flatnonzero(large & (rng.random(len(told)) > MISSED))
        names = tuple(told.categories[row] for row in kept)
        found.append(Evidence(told.camera, told.timestamp_ns, ltrb_px[kept], names))
    return found


def simulated(seed: int, cache: Path) -> Case:
    """A drive of 20 s in a town, six cameras."""
    drive = Drive(config_of(seed))
    return Case(f"sim{seed}", drive.log(), drive.labels(), disturbed(simulated_evidence(drive, cache), seed))


def kitti(sequence: str, shared_data: Path) -> Case:
    """Real boxes in 3D and 2D; the ids that join them are left out."""
    path = shared_data / "kitti_tracking"
    source = find_format(path)
    log = source.open_log(path, sequence)
    log = replace(log, trajectory=source.read_poses(path / "poses_orbslam3", log))
    labels = source.read_labels(path, log)
    return Case(sequence, log, labels, [replace(told, track_ids=None) for told in evidence_in(labels)])


def pandaset(shared_data: Path, cache: Path) -> Case:
    """Real boxes in 3D, and what YOLOX-nano finds in the images."""
    path, kept = shared_data / "pandaset" / "002", cache / "pandaset_002_yolox_nano.npz"
    source = find_format(path)
    log = source.open_log(path, source.log_ids(path)[0])
    images = [image for refs in log.images.values() for image in refs]
    if not kept.exists():
        network = Yolox.open(shared_data / "models" / "yolox_nano.onnx")
        told = [network.find(image.read()) for image in images]
        owners = np.repeat(np.arange(len(told)), [len(one.scores) for one in told])
        columns = {"ltrb_px": np.concatenate([one.boxes_px for one in told])}
        columns["scores"] = np.concatenate([one.scores for one in told])
        save(kept, owners=owners, names=np.array([n for one in told for n in one.categories]), **columns)
    with np.load(kept) as found:
        owners, names, ltrb_px, scores = (found[key] for key in ("owners", "names", "ltrb_px", "scores"))
    evidence = []
    for number, image in enumerate(images):
        rows = np.flatnonzero(owners == number)
        kinds = tuple(names[rows].tolist())
        evidence.append(Evidence(image.camera, image.timestamp_ns, ltrb_px[rows], kinds, scores[rows]))
    return Case("PandaSet 002", log, source.read_labels(path, log), evidence)


def main() -> None:
    parser = argparse.ArgumentParser(description="Casts what the images of some drives show.")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        simulated_evidence(Drive(config_of(seed)), arguments.cache)
        print(seed, flush=True)


if __name__ == "__main__":
    main()
