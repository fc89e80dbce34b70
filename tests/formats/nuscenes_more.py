"""A data set of nuScenes that others made, with what it can hold beside LiDAR, cameras and boxes.

A radar, classes and instances of single points (lidarseg, panoptic), a map, splits, boxes in images, a table
that is nobody's, and fields that nuScenes does not know.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from calib import SE3
from formats.nuscenes import NUSCENES
from formats.nuscenes.categories import CATEGORIES
from fusion import DriveLog, LabelSet
from fusion.simulate import SimulationConfig, simulate, visible_only

VERSION, RADAR, SPLIT = "v1.0-mini", "RADAR_FRONT", "my_split"
FLAT = ("driveable_surface", "other", "sidewalk", "terrain")
STATIC = ("manmade", "other", "vegetation")
CLASSES = (
    "noise",
    *(name for name in CATEGORIES if name != "static.other"),
    *(f"flat.{name}" for name in FLAT),
    *(f"static.{name}" for name in STATIC),
    "vehicle.ego",
)
EGO_FROM_RADAR = SE3.from_yaw(0.01, (3.4, 0.0, 0.5))
FIELDS = "x y z dyn_prop id rcs vx vy vx_comp vy_comp is_quality_valid ambig_state x_rms y_rms invalid_state"
TYPES = ("<f4", "<f4", "<f4", "i1", "<i2", *("<f4",) * 5, *("i1",) * 8)


@cache
def drive() -> tuple[DriveLog, LabelSet]:
    """Seven frames with small images."""
    config = replace(SimulationConfig.tiny(), seconds=0.65, azimuth_steps=90, image_size_px=(64, 36))
    log, labels = simulate(config)
    return log, visible_only(log, labels, 1)


def make_nuscenes_with_more(root: Path) -> None:
    """Writes a drive, every second frame a sample, and puts beside it what the drive has not."""
    log, labels = drive()
    NUSCENES.write(root, [(log, labels)], version=VERSION, keyframe_every=2)  # type: ignore[misc]
    folder = root / VERSION
    tables = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    tables["splits"] = {SPLIT: [log.name]}
    for name, rows in tables.items():
        for row in rows if name != "splits" else ():
            row.pop("crosslabel", None)
    rng = np.random.default_rng(7)
    _add_radar(root, tables, rng)
    _add_classes(root, tables, rng)
    _add_map(root, tables)
    reading = next(row for row in tables["sample_data"] if row["fileformat"] != "pcd")
    boxes = {
        "filename": reading["filename"],
        "sample_data_token": reading["token"],
        "bbox_corners": [1, 2, 3, 4],
    }
    box = tables["sample_annotation"][0]
    boxes |= {"sample_annotation_token": box["token"], "instance_token": box["instance_token"]}
    tables["image_annotations"] = [boxes]
    weather = {"token": "w0", "kind": "rain"}
    tables["weather"] = [weather]
    tables["sample_weather"] = [
        {"token": f"sw{k}", "sample_token": row["token"], "wetness": 0.1 * k}
        for k, row in enumerate(tables["sample"])
    ]
    tables["scene"][0] |= {"season": "autumn", "table": 7}
    tables["calibrated_sensor"][0]["serial"] = "VLS-128-7"
    for row in tables["sample_data"]:
        row["is_valid"] = True
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=0), encoding="utf-8")


def radar_pcd(rng: np.random.Generator, count: int) -> bytes:
    """A cloud of a radar with the 18 fields of nuScenes."""
    names = [*FIELDS.split(), "pdh0", "vx_rms", "vy_rms"]
    points = np.zeros(count, dtype=list(zip(names, TYPES, strict=True)))
    for name in ("x", "y", "rcs", "vx", "vy", "vx_comp", "vy_comp"):
        points[name] = rng.uniform(1, 60, count)
    points["ambig_state"] = 3
    sizes = [np.dtype(kind).itemsize for kind in TYPES]
    kinds = ["F" if "f" in kind else "I" for kind in TYPES]
    head = (
        f"# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS {' '.join(names)}\n"
        f"SIZE {' '.join(map(str, sizes))}\nTYPE {' '.join(kinds)}\nCOUNT {' '.join('1' * len(names))}\n"
        f"WIDTH {count}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA binary\n"
    )
    # The devkit wants a byte behind the last point.
    return head.encode() + points.tobytes() + b"\n"


def _add_radar(root: Path, tables: dict[str, Any], rng: np.random.Generator) -> None:
    """Readings at a rate of their own, each with a pose between those of the LiDAR."""
    tables["sensor"].append({"token": "radar", "channel": RADAR, "modality": "radar"})
    place, turn = EGO_FROM_RADAR.translation.tolist(), EGO_FROM_RADAR.quaternion_wxyz.tolist()
    calibration = {"translation": place, "rotation": turn, "camera_intrinsic": []}
    tables["calibrated_sensor"].append({"token": "radar_here", "sensor_token": "radar", **calibration})
    samples = tables["sample"]
    start_us, end_us = samples[0]["timestamp"], samples[-1]["timestamp"]
    poses = {row["timestamp"]: row for row in tables["ego_pose"]}
    times_us = sorted(t for t in poses if start_us <= t <= end_us)[::3]
    nearest = {min(times_us, key=lambda t: abs(t - row["timestamp"])) for row in samples}
    for k, t in enumerate(times_us):
        key = t in nearest
        sample = next(row for row in samples if row["timestamp"] >= t)
        name = f"{'samples' if key else 'sweeps'}/{RADAR}/drive__{RADAR}__{t}.pcd"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(radar_pcd(rng, 40 + k))
        pose = {name: poses[t][name] for name in ("translation", "rotation")}
        tables["ego_pose"].append({"token": f"radar{k}", "timestamp": t, **pose})
        tables["sample_data"].append(
            {
                "token": f"radar{k}",
                "sample_token": sample["token"],
                "ego_pose_token": f"radar{k}",
                "calibrated_sensor_token": "radar_here",
                "timestamp": t,
                "fileformat": "pcd",
                "is_key_frame": key,
                "height": 0,
                "width": 0,
                "filename": name,
                "prev": f"radar{k - 1}" if k else "",
                "next": f"radar{k + 1}" if k + 1 < len(times_us) else "",
            }
        )


def _add_classes(root: Path, tables: dict[str, Any], rng: np.random.Generator) -> None:
    """Classes and instances of the points of every key frame."""
    known = {row["name"]: row for row in tables["category"]}
    for number, name in enumerate(CLASSES):
        new = {"token": f"class{number}", "name": name, "description": f"what is {name}"}
        row = known.setdefault(name, new)
        row["index"] = number
    tables["category"] = [*known.values()]
    tables["lidarseg"], tables["panoptic"] = [], []
    for row in tables["sample_data"]:
        if row["is_key_frame"] and "LIDAR_TOP" in row["filename"]:
            points = (root / row["filename"]).stat().st_size // 20
            classes = rng.integers(0, len(CLASSES), points, dtype=np.uint8)
            token = row["token"]
            names = f"lidarseg/{VERSION}/{token}_lidarseg.bin", f"panoptic/{VERSION}/{token}_panoptic.npz"
            for table, name in zip(("lidarseg", "panoptic"), names, strict=True):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                tables[table].append({"token": token, "sample_data_token": token, "filename": name})
            classes.tofile(root / names[0])
            np.savez_compressed(root / names[1], data=classes.astype(np.uint16) * 1000)


def _add_map(root: Path, tables: dict[str, Any]) -> None:
    """A map that is not blank."""
    picture = np.zeros((120, 80), dtype=np.uint8)
    cv2.circle(picture, (40, 60), 30, 255, -1)
    (root / "maps" / "town.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    tables["map"][0] |= {"token": "town", "filename": "maps/town.png", "resolution_m": 0.1, "name": "town"}
