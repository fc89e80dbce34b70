"""Reads a segment of Waymo Open v2 with tri3d, which needs no TensorFlow, and writes down what it holds.

Runs in tri3d's own environment, which knows nothing of Crosslabel:
    python tri3d_checker.py ROOT OUT
writes OUT (an NPZ file).
"""

import sys

import numpy as np
from tri3d.datasets import Waymo


def main(root: str, out: str) -> None:
    dataset = Waymo(root, "training")
    arrays: dict[str, np.ndarray] = {"sequences": np.array(dataset.sequences())}
    for lidar in ("LIDAR_TOP", "LIDAR_FRONT"):
        times_s = dataset.timestamps(0, lidar)
        arrays[f"times {lidar}"] = times_s
        for frame in range(len(times_s)):
            arrays[f"points {lidar} {frame}"] = dataset.points(0, frame, lidar, coords="LIDAR_TOP")
    for camera in ("CAM_FRONT", "CAM_SIDE_LEFT"):
        arrays[f"times {camera}"] = dataset.timestamps(0, camera)
        arrays[f"image {camera}"] = np.asarray(dataset.image(0, 1, camera))
        ahead = np.array([[8.0, 1, 1], [12, -2, 0.5], [1, 9, 1.5], [-2, 15, 3]])
        in_cam = dataset.alignment(0, (0, 0), ("LIDAR_TOP", camera))
        arrays[f"cam {camera}"] = in_cam.apply(ahead)
    by_frame = [dataset.boxes(0, frame, coords="LIDAR_TOP") for frame in range(len(times_s))]
    boxes = [box for found in by_frame for box in found]
    arrays["frames"] = np.repeat(np.arange(len(times_s)), [len(found) for found in by_frame])
    arrays["ids"] = np.array([str(box.uid) for box in boxes])
    arrays["labels"] = np.array([box.label for box in boxes])
    arrays["centers"] = np.array([box.center for box in boxes])
    arrays["sizes"] = np.array([box.size for box in boxes])
    arrays["headings"] = np.array([box.heading for box in boxes])
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
