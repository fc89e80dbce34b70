"""Reads a data set with tri3d, which needs no TensorFlow and no devkit, and writes down what it holds.

Runs in tri3d's own environment, which knows nothing of Crosslabel:
    python tri3d_checker.py KIND ROOT PART LIDARS CAMERAS OUT
writes OUT (an NPZ file). KIND is a class of tri3d.datasets, PART what it calls a split or a subset, LIDARS
and CAMERAS are names with commas between them; everything is told in the frame of the first LiDAR.
"""

import sys

import numpy as np
from tri3d import datasets

AHEAD = np.array([[8.0, 1, 1], [12, -2, 0.5], [1, 9, 1.5], [-2, 15, 3]])


def main(kind: str, root: str, part: str, lidars: str, cameras: str, out: str) -> None:
    dataset = getattr(datasets, kind)(root, part)
    first = lidars.split(",")[0]
    arrays: dict[str, np.ndarray] = {"sequences": np.array(dataset.sequences())}
    for lidar in lidars.split(","):
        times = arrays[f"times {lidar}"] = dataset.timestamps(0, lidar)
        for frame in range(len(times)):
            arrays[f"points {lidar} {frame}"] = dataset.points(0, frame, lidar, coords=first)
            arrays[f"world {lidar} {frame}"] = dataset.poses(0, lidar)[frame].apply(AHEAD)
    for camera in cameras.split(","):
        arrays[f"times {camera}"] = dataset.timestamps(0, camera)
        arrays[f"image {camera}"] = np.asarray(dataset.image(0, 1, camera))
        arrays[f"cam {camera}"] = dataset.alignment(0, (0, 0), (first, camera)).apply(AHEAD)
        if kind != "Waymo":  # whose shutter rolls
            image = dataset.img_sensors[dataset.cam_sensors.index(camera)]
            arrays[f"pixels {camera}"] = dataset.alignment(0, (0, 0), (first, image)).apply(AHEAD)
    add_boxes(dataset, first, arrays)
    np.savez(out, **arrays)


def add_boxes(dataset: "datasets.Dataset", first: str, arrays: dict[str, np.ndarray]) -> None:
    frames = range(len(dataset.timestamps(0, first)))
    by_frame = [dataset.boxes(0, frame, coords=first) for frame in frames]
    boxes = [box for found in by_frame for box in found]
    arrays["frames"] = np.repeat(frames, [len(found) for found in by_frame])
    arrays["ids"] = np.array([str(box.uid) for box in boxes])
    arrays["labels"] = np.array([box.label for box in boxes])
    arrays["centers"] = np.array([box.center for box in boxes])
    arrays["sizes"] = np.array([box.size for box in boxes])
    arrays["headings"] = np.array([box.heading for box in boxes])


if __name__ == "__main__":
    main(*sys.argv[1:])
