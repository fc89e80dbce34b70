"""The drive that the whole pipeline is timed on, as files: made once, in a process of its own."""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from calib import SE3
from formats.folder import FOLDER
from formats.images import write_rgb
from formats.labels_db import write_labels
from fusion import DriveLog
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.simulate import Drive, SimulationConfig, visible_only

SEED = 100
# What every tenth frame and one frame of the labels are.
EVERY, ONE = 10, 0.5


def config(seconds: float) -> SimulationConfig:
    """A busy street with a red light: 120,000 points a sweep, 60 objects in sight, six cameras."""
    ready = replace(SimulationConfig.full(), name=f"busy {seconds:g} s", seed=SEED, seconds=seconds)
    return replace(ready, azimuth_steps=2200, vehicles=32, pedestrians=56, cyclists=10)


def make(folder: Path, seconds: float) -> None:
    """Writes the drive as a plain folder; its images, which nobody opens here, are all one grey one."""
    drive = Drive(config(seconds))
    log = drive.log()
    building = folder.with_name(f".{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    grey = building / "grey.png"
    width_px, height_px = drive.config.image_size_px
    write_rgb(grey, np.full((height_px, width_px, 3), 128, dtype=np.uint8))
    images = {name: tuple(replace(ref, path=grey) for ref in refs) for name, refs in log.images.items()}
    FOLDER.write(building / "logs", [(replace(log, images=images), LabelSet())])  # type: ignore[misc]
    there = FOLDER.open_log(building / "logs", log.name)  # type: ignore[misc]
    made = building / "logs" / log.name
    write_labels(made / "labels.db", there, visible_only(there, drive.labels(), 5))
    made.rename(folder)
    shutil.rmtree(building)


def as_detections(labels: LabelSet, seed: int = 1) -> LabelSet:
    """Boxes of a good detector: not connected, off by 10 cm, 3 degrees and 5 %, one in ten missed."""
    rng = np.random.default_rng(seed)
    tracks = []
    for track in labels.tracks.values():
        for annotation in track.annotations.values():
            if rng.random() < 0.1:
                continue
            box = annotation.box
            box_from_seen = SE3.from_yaw(float(rng.normal(0, np.radians(3))), rng.normal(0, 0.1, 3))
            size_m = (box.size_lwh_m * (1 + rng.normal(0, 0.05, 3))).tolist()
            ego_from_seen = box.ego_from_box @ box_from_seen
            seen = replace(
                box, ego_from_box=ego_from_seen, length_m=size_m[0], width_m=size_m[1], height_m=size_m[2]
            )
            score = float(rng.uniform(0.5, 1.0))
            made = Annotation(annotation.timestamp_ns, seen, Source.IMPORTED, score)
            tracks.append(Track.of(f"{len(tracks)}", track.category, [made]))
    return LabelSet.of(tracks)


def at_frames(labels: LabelSet, log: DriveLog, numbers: range | list[int]) -> LabelSet:
    """The labels of some frames."""
    kept = {int(log.timestamps_ns[k]) for k in numbers}
    thinned = (
        track.without(t for t in track.annotations if t not in kept) for track in labels.tracks.values()
    )
    return LabelSet.of(track for track in thinned if track.annotations)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    make(arguments.folder, arguments.seconds)
