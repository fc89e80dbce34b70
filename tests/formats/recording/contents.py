"""What messages hold: the points of a sweep as a driver sends them, and PNG."""

import cv2
import numpy as np

from fusion import Sweep

OUSTER = np.dtype(
    {
        "names": ["x", "y", "z", "intensity", "t", "ring"],
        "formats": ["<f4", "<f4", "<f4", "<f4", "<u4", "<u2"],
        "offsets": [0, 4, 8, 16, 20, 26],
        "itemsize": 32,
    }
)


def ouster(sweep: Sweep) -> np.ndarray:
    """A sweep as an Ouster's driver sends it: padded, ns from the start."""
    cloud = np.zeros(len(sweep), dtype=OUSTER)
    for axis, name in enumerate("xyz"):
        cloud[name] = sweep.points[:, axis]
    cloud["intensity"], cloud["ring"], cloud["t"] = sweep.intensity, sweep.ring, sweep.offset_ns
    return cloud


def png(rgb: np.ndarray) -> bytes:
    content: bytes = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    return content


def cloud_of(points: int = 20) -> np.ndarray:
    """A few points ahead, one after the other."""
    cloud = np.zeros(points, dtype=OUSTER)
    cloud["x"], cloud["t"] = np.arange(1, points + 1), np.linspace(0, 90_000_000, points)
    return cloud
