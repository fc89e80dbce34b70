"""Reads radars, lidarseg and panoptic with the nuscenes-devkit and prints what it says of them as JSON.

Runs in the devkit's own environment, which knows nothing of Crosslabel:
    python nuscenes_more_checker.py ROOT VERSION
"""

import contextlib
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from nuscenes import NuScenes
from nuscenes.utils.data_classes import LidarPointCloud, RadarPointCloud
from nuscenes.utils.data_io import load_bin_file, panoptic_to_lidarseg
from nuscenes.utils.geometry_utils import points_in_box


def main(root: str, version: str) -> None:
    nusc = NuScenes(version=version, dataroot=root, verbose=False)
    told = {
        "radar": [radar(nusc, row) for row in nusc.sample_data if row["sensor_modality"] == "radar"],
        "multisweep": multisweep(nusc),
        "points": [points(nusc, sample["data"]["LIDAR_TOP"]) for sample in nusc.sample],
        "classes": nusc.lidarseg_idx2name_mapping,
        "lists": lists(nusc),
        "boxes": [box(nusc, row) for row in nusc.sample_annotation],
        "map": [row["mask"].mask().sum().item() for row in nusc.map],
    }
    print(json.dumps(told))


def radar(nusc: NuScenes, row: dict) -> list:
    path, boxes, _ = nusc.get_sample_data(row["token"])
    cloud = RadarPointCloud.from_file(path)
    return [row["timestamp"], row["is_key_frame"], digest(cloud.points), len(boxes)]


def multisweep(nusc: NuScenes) -> list:
    """Radar sweeps piled up in the frame of the LiDAR: poses, calibration and chains all take part."""
    sample = nusc.get("sample", nusc.scene[0]["last_sample_token"])
    cloud, times = RadarPointCloud.from_file_multisweep(nusc, sample, "RADAR_FRONT", "LIDAR_TOP", nsweeps=3)
    return [np.round(cloud.points[:3].mean(axis=1), 6).tolist(), np.unique(np.round(times, 6)).tolist()]


def points(nusc: NuScenes, token: str) -> list:
    """Of a cloud: how many points, and how many of each class by lidarseg and by panoptic."""
    cloud = LidarPointCloud.from_file(nusc.get_sample_data_path(token))
    root = Path(nusc.dataroot)
    by_point = load_bin_file(str(root / nusc.get("lidarseg", token)["filename"]), "lidarseg")
    panoptic = load_bin_file(str(root / nusc.get("panoptic", token)["filename"]), "panoptic")
    assert np.array_equal(panoptic_to_lidarseg(panoptic), by_point)
    counts = np.bincount(by_point, minlength=len(nusc.category)).tolist()
    return [cloud.nbr_points(), len(by_point), len(panoptic), counts]


def box(nusc: NuScenes, row: dict) -> list:
    """Object, instant, class and centre, the points that it says it holds, and those that it holds."""
    sample = nusc.get("sample", row["sample_token"])
    token = sample["data"]["LIDAR_TOP"]
    path, (found,), _ = nusc.get_sample_data(token, selected_anntokens=[row["token"]])
    inside = points_in_box(found, LidarPointCloud.from_file(path).points[:3]).sum()
    told = [row["instance_token"], sample["timestamp"], row["category_name"], row["translation"]]
    return [*told, row["num_lidar_pts"], int(inside)]


def lists(nusc: NuScenes) -> list:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        nusc.list_lidarseg_categories(sort_by="count")
        for sample in nusc.sample:
            nusc.get_sample_lidarseg_stats(sample["token"])
    return [line for line in text.getvalue().splitlines() if "second" not in line]


def digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
