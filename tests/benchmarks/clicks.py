"""How exactly a camera is placed by clicks: `python -m tests.benchmarks.clicks`.

Points are picked from real KITTI scans, spread over the image and in depth; their exact pixels get Gaussian
noise, the points 3 cm each way. So the truth is exact, whatever the data set's own calibration is worth.
Beside it stand what one would write with OpenCV (SQPNP, then Levenberg-Marquardt on pixels, all weighted
alike) and the bound of Cramer and Rao: what no unbiased way can beat on these clicks.
No parameter was set on these scans.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calib import SE3, Pinhole
from calib.clicks import solve_clicks
from calib.clicks.bearings import Bearings, left_jacobian
from calib.estimate import PoseEstimate
from calib.types import F64
from tests.conftest import SHARED_DATA

SIGMA_M = 0.03
TRIALS = 200


@dataclass(frozen=True)
class Scans:
    """Real scans seen by a camera whose place is taken as the truth."""

    cam_from_ego: SE3
    model: Pinhole
    points_ego: list[F64]
    uv_px: list[F64]


@dataclass(frozen=True)
class Errors:
    """Of many trials; what was refused is not among them."""

    rotation_deg: F64
    place_cm: F64
    sigmas: F64
    refused: int
    cpu_ms: float

    @property
    def coverage(self) -> tuple[float, float]:
        """Share of all six numbers that lie within one and within 1.96 of their own standard deviations."""
        return float(np.mean(np.abs(self.sigmas) < 1)), float(np.mean(np.abs(self.sigmas) < 1.96))


def read_scans(root: Path) -> Scans:
    """The scans of kitti_camera_lidar that its left colour camera sees, up to 60 m."""
    rows: dict[str, F64] = {}
    for line in (root / "training/calib/0052.txt").read_text(encoding="utf-8").splitlines():
        name, _, numbers = line.partition(" ")
        rows[name.rstrip(":")] = np.array(numbers.split(), dtype=np.float64)
    projection = rows["P2"].reshape(3, 4)
    rectified = np.eye(4)
    rectified[:3, :3] = rows["R0_rect"].reshape(3, 3)
    mount = np.vstack([rows["Tr_velo_to_cam"].reshape(3, 4), (0, 0, 0, 1)])
    cam_from_rectified = SE3(np.eye(3), np.linalg.inv(projection[:, :3]) @ projection[:, 3])
    rectified_from_ego = SE3.nearest(rectified @ mount, 1e-2)
    cam_from_ego = cam_from_rectified @ rectified_from_ego
    model = Pinhole(projection[0, 0], projection[1, 1], projection[0, 2], projection[1, 2], 1242, 375)
    points, pixels = [], []
    for path in sorted((root / "training/velodyne/0052").glob("*.bin")):
        cloud = np.fromfile(path, dtype=np.float32).reshape(-1, 4)[:, :3].astype(np.float64)
        seen = model.project(cam_from_ego @ cloud)
        kept = seen.visible & (seen.depth_m < 60)
        points.append(cloud[kept])
        pixels.append(seen.uv_px[kept])
    return Scans(cam_from_ego, model, points, pixels)


def spread_picks(scans: Scans, number: int, count: int, random: np.random.Generator) -> tuple[F64, F64]:
    """Points of one scan and their pixels, each the one of a dozen that is farthest from the others.

    Distance is measured over the image's width and in the logarithm of depth.
    """
    points, pixels = scans.points_ego[number], scans.uv_px[number]
    depth = np.log(np.linalg.norm(points, axis=1))
    places = np.column_stack([pixels / scans.model.width_px, depth / np.log(10)])
    picked = [int(random.integers(len(points)))]
    while len(picked) < count:
        tried = random.integers(len(points), size=12)
        gaps = np.linalg.norm(places[tried, None] - places[picked], axis=2).min(axis=1)
        picked.append(int(tried[np.argmax(gaps)]))
    return points[picked], pixels[picked]


def picks(scans: Scans, count: int, random: np.random.Generator) -> tuple[F64, F64]:
    """Points of any one scan and their pixels."""
    return spread_picks(scans, int(random.integers(len(scans.points_ego))), count, random)


def noisy_clicks(
    scans: Scans, count: int, sigma_px: float, wrong: float, random: np.random.Generator
) -> tuple[F64, F64]:
    """Picks with noise, of which a share belongs to anything in the image."""
    points, pixels = picks(scans, count, random)
    pixels = pixels + random.normal(0, sigma_px, pixels.shape)
    bad = random.permutation(count)[: round(wrong * count)]
    pixels[bad] = random.uniform((0, 0), (scans.model.width_px, scans.model.height_px), (len(bad), 2))
    return points + random.normal(0, SIGMA_M, points.shape), pixels


def with_opencv(points: F64, pixels: F64, model: Pinhole) -> SE3:
    """What the usual two lines give, as `cam_from_ego`."""
    import cv2

    _, turn, place = cv2.solvePnP(points, pixels, model.matrix, None, flags=cv2.SOLVEPNP_SQPNP)
    turn, place = cv2.solvePnPRefineLM(points, pixels, model.matrix, None, turn, place)
    return SE3.from_rotation_vector(turn[:, 0], place[:, 0])


def measure(scans: Scans, count: int, sigma_px: float, wrong: float = 0.0, trials: int = TRIALS) -> Errors:
    """Our errors over trials with seeds from 100 on."""
    steps, sigmas, refused, spent = [], [], 0, 0.0
    for seed in range(100, 100 + trials):
        points, pixels = noisy_clicks(scans, count, sigma_px, wrong, np.random.default_rng(seed))
        start = time.process_time()
        found: PoseEstimate = solve_clicks(points, pixels, scans.model, sigma_px=sigma_px, sigma_m=SIGMA_M)
        spent += time.process_time() - start
        if not found.accepted or found.ego_from_cam is None or found.uncertainty is None:
            refused += 1
            continue
        cam_from_true_cam = found.ego_from_cam.inverse() @ scans.cam_from_ego.inverse()
        steps.append(cam_from_true_cam.vector)
        sigmas.append(steps[-1] / np.sqrt(np.diag(found.uncertainty.covariance)))
    return _errors(steps, sigmas, refused, spent / trials * 1e3)


def measure_opencv(scans: Scans, count: int, sigma_px: float, trials: int = TRIALS) -> Errors:
    """OpenCV's errors on the same clicks."""
    steps = []
    for seed in range(100, 100 + trials):
        points, pixels = noisy_clicks(scans, count, sigma_px, 0.0, np.random.default_rng(seed))
        cam_from_true_cam = with_opencv(points, pixels, scans.model) @ scans.cam_from_ego.inverse()
        steps.append(cam_from_true_cam.vector)
    return _errors(steps, [], 0, 0.0)


def bound(scans: Scans, count: int, sigma_px: float, trials: int = TRIALS) -> Errors:
    """Errors of an efficient way on the same picks: drawn from the inverse information at the truth."""
    steps, draws = [], np.random.default_rng(0)
    for seed in range(100, 100 + trials):
        points, pixels = picks(scans, count, np.random.default_rng(seed))
        points_cam = scans.cam_from_ego @ points
        _, by_point = Bearings.of(scans.model, pixels).errors(points_cam, sigma_px, SIGMA_M)
        jacobian = (by_point @ left_jacobian(points_cam)).reshape(-1, 6)
        covariance = np.linalg.inv(jacobian.T @ jacobian)
        steps.extend(draws.multivariate_normal(np.zeros(6), covariance, 100))
    return _errors(steps, [], 0, 0.0)


def _errors(steps: list[F64], sigmas: list[F64], refused: int, cpu_ms: float) -> Errors:
    errors = np.array(steps).reshape(-1, 6)
    rotation_deg = np.degrees(np.linalg.norm(errors[:, :3], axis=1))
    place_cm = 100 * np.linalg.norm(errors[:, 3:], axis=1)
    return Errors(rotation_deg, place_cm, np.array(sigmas).reshape(-1, 6), refused, cpu_ms)


def rows(scans: Scans) -> Iterator[str]:
    """The table of docs/calibration.md, line by line."""
    yield "| clicks | pixels off | wrong | error | 95 % | bound | OpenCV | within 68 / 95 % | refused | ms |"
    yield "|--:|--:|--:|---|---|---|---|---|--:|--:|"
    for sigma_px in (1.0, 2.0):
        for count in (6, 10, 20, 40):
            for wrong in (0.0, 0.3) if count >= 10 else (0.0,):
                ours = measure(scans, count, sigma_px, wrong)
                one, two = ours.coverage
                beside = ["-", "-"]
                if not wrong:
                    others = (bound(scans, count, sigma_px), measure_opencv(scans, count, sigma_px))
                    beside = [_size(other, 50) for other in others]
                cells = (
                    str(count),
                    f"{sigma_px:g}",
                    f"{wrong:.0%}",
                    _size(ours, 50),
                    _size(ours, 95),
                    *beside,
                )
                tail = (f"{one:.0%} / {two:.0%}", str(ours.refused), f"{ours.cpu_ms:.0f}")
                yield "| " + " | ".join((*cells, *tail)) + " |"


def _size(errors: Errors, percent: float) -> str:
    turn, shift = (np.percentile(values, percent) for values in (errors.rotation_deg, errors.place_cm))
    return f"{turn:.3f}° / {shift:.1f} cm"


def main() -> None:
    """Prints the table."""
    scans = read_scans(SHARED_DATA / "kitti_camera_lidar")
    print(f"median errors over {TRIALS} trials, points picked in KITTI scans, {100 * SIGMA_M:g} cm off")
    for line in rows(scans):
        print(line, flush=True)


if __name__ == "__main__":
    main()
