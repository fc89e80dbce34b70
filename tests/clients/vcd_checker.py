"""Reads OpenLABEL with Vicomtech's VCD library and prints as JSON what it makes of it.

Run in an environment of its own: `python vcd_checker.py <file>`.
"""

import json
import sys
from typing import Any

import numpy as np
from vcd import core, scl, utils


def main(path: str) -> None:
    label = core.OpenLABEL()
    label.load_from_file(path)
    scene, root = scl.Scene(label), label.data["openlabel"]
    cameras = [name for name, stream in root["streams"].items() if stream["type"] == "camera"]
    objects: dict[str, Any] = {}
    for uid, entry in root["objects"].items():
        intervals = [] if not entry.get("frame_intervals") else label.get_object(uid)["frame_intervals"]
        numbers = [n for i in intervals for n in range(i["frame_start"], i["frame_end"] + 1)]
        found = {n: label.get_object_data(uid, "cuboid", n) for n in numbers}
        cuboids = {n: entry["val"] for n, entry in found.items() if entry is not None}
        objects[entry["name"]] = {
            "type": label.get_object(uid)["type"],
            "corners": {n: corners(value).tolist() for n, value in cuboids.items()},
            "pixels": {
                name: {n: pixels(scene, corners(value), name) for n, value in cuboids.items()}
                for name in cameras
            },
        }
    frames = [*range(root["frame_intervals"][0]["frame_start"], root["frame_intervals"][0]["frame_end"] + 1)]
    report = {
        "objects": objects,
        "instants": [label.get_frame(n)["frame_properties"]["timestamp"] for n in frames],
        "world_from_ego": [matrix(scene.get_transform("ego", "world", n)) for n in frames],
        "ego_from_camera": {name: matrix(scene.get_transform(name, "ego")) for name in cameras},
    }
    print(json.dumps(report))


def corners(value: list[float]) -> np.ndarray:
    """(8, 3)"""
    return np.asarray(utils.generate_cuboid_points_ref_4x8(value))[:3].T


def pixels(scene: scl.Scene, points: np.ndarray, camera: str) -> list[list[float]]:
    """(8, 2) where a camera sees points of the car's frame; empty where it does not see them all."""
    column = np.vstack([points.T, np.ones(len(points))])
    places, valid = scene.project_points3d_4xN(column, "ego", camera)
    seen = np.asarray(places)
    return seen[:2].T.tolist() if all(valid) and np.isfinite(seen).all() else []


def matrix(answer: tuple[np.ndarray, bool]) -> list[list[float]]:
    return np.asarray(answer[0]).tolist()


if __name__ == "__main__":
    main(sys.argv[1])
