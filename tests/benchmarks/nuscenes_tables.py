"""How long opening tables as large as those of nuScenes takes, and their memory; beside nuscenes-devkit.

`python -m tests.benchmarks.nuscenes_tables [--scenes 850]` makes the tables (v1.0-trainval has 850 scenes),
opens them in a new process each, and prints the seconds and the peak memory of both. The devkit runs in the
environment that `./scripts/test` makes for it (`.venv-nuscenes`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from formats.nuscenes.tables import TABLES

REPOSITORY = Path(__file__).parents[2]
VERSION = "v1.0-trainval"
SAMPLES, INSTANCES = 40, 76
RATES = {"CAM": 12, "LIDAR": 20, "RADAR": 13}
CHANNELS = (
    *(f"CAM_{place}" for place in ("FRONT", "FRONT_LEFT", "FRONT_RIGHT", "BACK", "BACK_LEFT", "BACK_RIGHT")),
    "LIDAR_TOP",
    *(f"RADAR_{place}" for place in ("FRONT", "FRONT_LEFT", "FRONT_RIGHT", "BACK_LEFT", "BACK_RIGHT")),
)
BOXES_A_SAMPLE = 41  # 1.4 million in 34,000 samples
OURS = """
import resource, sys, time
start = time.perf_counter()
from formats.nuscenes import NUSCENES
from pathlib import Path
path = Path(sys.argv[1])
names = NUSCENES.log_ids(path)
log = NUSCENES.open_log(path, names[len(names) // 2])
labels = NUSCENES.read_labels(path, log)
assert labels.annotation_count == int(sys.argv[2]), labels.annotation_count
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
DEVKIT = """
import resource, sys, time
start = time.perf_counter()
from nuscenes import NuScenes
data = NuScenes(sys.argv[3], sys.argv[1], verbose=False)
scene = data.scene[len(data.scene) // 2]
token, count = scene["first_sample_token"], 0
while token:
    sample = data.get("sample", token)
    count += len([data.get("sample_annotation", each) for each in sample["anns"]])
    token = sample["next"]
assert count == int(sys.argv[2]), count
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


class Table:
    """One table, written row by row as nuScenes lays its files out."""

    def __init__(self, folder: Path, name: str) -> None:
        self.stream, self.begun = (folder / f"{name}.json").open("w"), False

    def add(self, **fields: Any) -> None:
        """One row."""
        self.stream.write(",\n" if self.begun else "[\n")
        self.stream.write(json.dumps(fields, indent=0))
        self.begun = True

    def close(self) -> None:
        """The end of it."""
        self.stream.write("\n]" if self.begun else "[]")
        self.stream.close()


class Tokens:
    """32 hexadecimal digits each, never the same ones twice."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self) -> str:
        return self.rng.bytes(16).hex()

    def some(self, count: int) -> list[str]:
        """Many of them."""
        whole = self.rng.bytes(16 * count).hex()
        return [whole[32 * k : 32 * (k + 1)] for k in range(count)]


def make(root: Path, scenes: int) -> None:
    """Tables without any sensor's file."""
    folder = root / VERSION
    folder.mkdir(parents=True)
    (root / "maps").mkdir()
    tables = {name: Table(folder, name) for name in TABLES}
    token = Tokens()
    categories, attributes = token.some(23), token.some(8)
    for k, each in enumerate(categories):
        tables["category"].add(token=each, name="vehicle.car" if k == 0 else f"kind.{k}", description="")
    for k, each in enumerate(attributes):
        tables["attribute"].add(token=each, name=f"state.{k}", description="")
    for k, level in enumerate(("v0-40", "v40-60", "v60-80", "v80-100"), start=1):
        tables["visibility"].add(token=str(k), level=level, description="")
    sensors = {channel: token() for channel in CHANNELS}
    for channel, each in sensors.items():
        kind = channel.split("_")[0].lower()
        tables["sensor"].add(token=each, channel=channel, modality="camera" if kind == "cam" else kind)
    logs = [_scene(tables, token, number, sensors, categories, attributes) for number in range(scenes)]
    from formats.images import write_rgb

    write_rgb(root / "maps" / "map.png", np.zeros((8, 8, 3), np.uint8))
    tables["map"].add(token=token(), log_tokens=logs, category="semantic_prior", filename="maps/map.png")
    for table in tables.values():
        table.close()


def _scene(
    tables: dict[str, Table],
    token: Tokens,
    number: int,
    sensors: dict[str, str],
    categories: list[str],
    attributes: list[str],
) -> str:
    start_us = 1_532_000_000_000_000 + number * 100_000_000
    log, scene, samples = token(), token(), token.some(SAMPLES)
    tables["log"].add(token=log, logfile=f"n{number}", vehicle="n", date_captured="", location="")
    tables["scene"].add(
        token=scene,
        log_token=log,
        nbr_samples=SAMPLES,
        first_sample_token=samples[0],
        last_sample_token=samples[-1],
        name=f"scene-{number:04}",
        description="made",
    )
    for k, (each, before, after) in enumerate(_chain(samples)):
        stamp_us = start_us + k * 500_000
        tables["sample"].add(token=each, timestamp=stamp_us, prev=before, next=after, scene_token=scene)
    for channel, sensor in sensors.items():
        _readings(tables, token, start_us, samples, channel, sensor)
    _boxes(tables, token, samples, categories, attributes)
    return log


def _readings(
    tables: dict[str, Table], token: Tokens, start_us: int, samples: list[str], channel: str, sensor: str
) -> None:
    kind, calibrated = channel.split("_")[0], token()
    camera = kind == "CAM"
    intrinsic = [[1266.417203046554, 0.0, 816.2670197447984], [0.0, 1266.417203046554, 491.50706579294757]]
    tables["calibrated_sensor"].add(
        token=calibrated,
        sensor_token=sensor,
        translation=[0.943713, 0.0, 1.84023],
        rotation=[0.7077955119163518, -0.006492242056004365, 0.010646214713995808, -0.7063073142877817],
        camera_intrinsic=[*intrinsic, [0.0, 0.0, 1.0]] if camera else [],
    )
    readings = token.some(RATES[kind] * SAMPLES // 2)
    for k, (each, before, after) in enumerate(_chain(readings)):
        stamp_us = start_us + k * 1_000_000 // RATES[kind]
        tables["ego_pose"].add(
            token=each,
            timestamp=stamp_us,
            rotation=[0.5720320396729045, -0.0016977771610471074, 0.011798001930183783, -0.8201446642457809],
            translation=[411.3039349319818 + k * 0.01, 1180.8903791765097, 0.0],
        )
        key = k % (RATES[kind] // 2) == 0
        ending = "jpg" if camera else "pcd.bin" if kind == "LIDAR" else "pcd"
        tables["sample_data"].add(
            token=each,
            sample_token=samples[min(2 * k // RATES[kind], SAMPLES - 1)],
            ego_pose_token=each,
            calibrated_sensor_token=calibrated,
            timestamp=stamp_us,
            fileformat="jpg" if camera else "pcd",
            is_key_frame=key,
            height=900 if camera else 0,
            width=1600 if camera else 0,
            filename=f"{'samples' if key else 'sweeps'}/{channel}/n__{channel}__{stamp_us}.{ending}",
            prev=before,
            next=after,
        )


def _boxes(
    tables: dict[str, Table], token: Tokens, samples: list[str], categories: list[str], attributes: list[str]
) -> None:
    """Objects come and go, so that as many boxes stand in each sample as in the real one."""
    instances = token.some(INSTANCES)
    length = SAMPLES * BOXES_A_SAMPLE // INSTANCES
    for k, instance in enumerate(instances):
        first = (k * 7) % (SAMPLES - length + 1)
        boxes = token.some(length)
        tables["instance"].add(
            token=instance,
            category_token=categories[k % 23],
            nbr_annotations=length,
            first_annotation_token=boxes[0],
            last_annotation_token=boxes[-1],
        )
        for j, (each, before, after) in enumerate(_chain(boxes)):
            tables["sample_annotation"].add(
                token=each,
                sample_token=samples[first + j],
                instance_token=instance,
                visibility_token=str(1 + k % 4),
                attribute_tokens=[attributes[k % 8]],
                translation=[373.214 + j, 1130.48, 1.25],
                size=[0.621, 0.669, 1.642],
                rotation=[0.9831098797903927, 0.0, 0.0, -0.18301629506281616],
                prev=before,
                next=after,
                num_lidar_pts=1,
                num_radar_pts=0,
            )


def _chain(tokens: list[str]) -> Iterator[tuple[str, str, str]]:
    yield from zip(tokens, ["", *tokens[:-1]], [*tokens[1:], ""], strict=True)


def timed(python: Path, program: str, root: Path) -> tuple[float, float]:
    """Seconds and MiB of opening the tables and reading one scene's boxes, in a process of its own."""
    boxes = SAMPLES * BOXES_A_SAMPLE // INSTANCES * INSTANCES
    command = [python, "-c", program, str(root), str(boxes), VERSION]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    seconds, mebibytes = done.stdout.split()
    return float(seconds), float(mebibytes)


def main() -> None:
    """Makes, opens, prints."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--scenes", type=int, default=850)
    asked.add_argument("--only-ours", action="store_true")
    scenes, only_ours = vars(asked.parse_args()).values()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        make(root, scenes)
        size = sum(file.stat().st_size for file in (root / VERSION).iterdir()) / 2**30
        print(f"{scenes} scenes, {size:.2f} GiB of tables", flush=True)
        ours = timed(Path(sys.executable), OURS, root)
        print(f"Crosslabel:      {ours[0]:7.1f} s {ours[1]:8,.0f} MiB", flush=True)
        if not only_ours:
            theirs = timed(REPOSITORY / ".venv-nuscenes" / "bin" / "python", DEVKIT, root)
            print(f"nuscenes-devkit: {theirs[0]:7.1f} s {theirs[1]:8,.0f} MiB")
            print(f"ratio:           {ours[0] / theirs[0]:7.2f}   {ours[1] / theirs[1]:8.2f}")


if __name__ == "__main__":
    main()
