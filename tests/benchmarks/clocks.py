"""How well pictures tell a camera's clock: `python -m tests.benchmarks.clocks --cache FOLDER`.

Simulated drives whose truth is exact: the clock of each camera is made wrong by up to 40 ms, its mount is
turned by 0.15 degrees about each axis and shifted along each (one sigma). Parameters were set on seeds below
100; what is reported comes from seeds from 100 on. `--docs` renews the table of docs/timing.md.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calib import SE3, Rig
from fusion import DriveLog
from fusion.clock import TimeOffset, estimate_offset
from tests.benchmarks.rendered import rendered_log
from tests.benchmarks.timing import CLOCKS

CAMERAS = ("cam_front", "cam_front_left", "cam_back_right")
LATE_MS, TURN_DEG, PLACES_M = 40.0, 0.15, (0.0, 0.02)


@dataclass(frozen=True)
class Trial:
    """One wrong clock, and what was said of it."""

    late_ms: float
    found: TimeOffset

    @property
    def error_ms(self) -> float:
        return self.found.offset_ms + self.late_ms


def trial(log: DriveLog, camera: str, place_m: float, seed: int) -> Trial:
    rng = np.random.default_rng(900_000 + seed)
    late_ms = float(rng.uniform(-LATE_MS, LATE_MS))
    turn_rad, shift_m = np.radians(rng.normal(0, TURN_DEG, 3)), rng.normal(0, 1, 3) * place_m
    given_cam_from_cam = SE3.from_rotation_vector(turn_rad, shift_m)
    sensor = log.rig.cameras[camera]
    ego_from_given_cam = sensor.ego_from_sensor
    wrong = replace(sensor, ego_from_sensor=ego_from_given_cam @ given_cam_from_cam)
    late_ns = round(1e6 * late_ms)
    images = tuple(replace(ref, timestamp_ns=ref.timestamp_ns + late_ns) for ref in log.images[camera])
    rig = Rig.of(tuple(log.rig.lidars.values()), (wrong,))
    disturbed = replace(log, images={camera: images}, rig=rig)
    return Trial(late_ms, estimate_offset(disturbed, camera, place_m=place_m))


def row(place_m: float, trials: list[Trial]) -> str:
    said = [one for one in trials if one.found.verdict != "cannot say"]
    errors = np.abs([one.error_ms for one in said])
    sigmas = np.array([one.found.sigma_ms for one in said])
    within = " / ".join(f"{np.mean(errors < level * sigmas):.0%}" for level in (0.994, 1.96))
    off = f"{np.median(errors):.1f} ms, {errors.max():.1f} ms"
    place = f"known to {100 * place_m:g} cm" if place_m else "exact"
    return f"| {place} | {len(said)} of {len(trials)} | {off} | {np.median(sigmas):.1f} ms | {within} |"


def rows(cache: Path, seeds: list[int]) -> list[str]:
    found = ["| place of the camera | answers | median error, worst | sigma, median | within 68 / 95 % |"]
    found.append("|---|---|---|---|---|")
    logs = [rendered_log(cache, seed, CAMERAS) for seed in seeds]
    for place_m in PLACES_M:
        numbered = [(log, camera) for log in logs for camera in CAMERAS]
        found.append(row(place_m, [trial(*each, place_m, k) for k, each in enumerate(numbered)]))
        print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for rendered frames")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(100, 108)), help="drives")
    parser.add_argument("--docs", type=Path, help="whose table to renew, such as docs/timing.md")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    table = "\n".join(rows(arguments.cache, arguments.seeds))
    if arguments.docs is not None:
        page, mark, _ = arguments.docs.read_text(encoding="utf-8").partition(CLOCKS)
        arguments.docs.write_text(f"{page}{mark}\n\n{table}\n", encoding="utf-8")
        sys.stdout.write(f"wrote {arguments.docs}\n")


if __name__ == "__main__":
    main()
