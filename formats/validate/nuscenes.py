"""The tables of nuScenes and of data sets laid out like it, row by row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from formats.errors import FormatError
from formats.files import inside, read_json
from formats.images import image_size_px
from formats.nuscenes.categories import ATTRIBUTES, CATEGORIES
from formats.nuscenes.index import tables_folder
from formats.nuscenes.points import POINT_BYTES
from formats.validate.fault import Faults
from formats.validate.nuscenes_rules import (
    APART,
    BOX,
    FILE,
    KEYS,
    LENS,
    LIDARSEG,
    MAP,
    OUTSIDE,
    POSED,
    SIZE,
    SPLIT,
    STATE,
    STRANGE,
    TOP,
    UNFIT,
)
from formats.validate.nuscenes_tables import Fields, Link, Tables

APART_US = 100_000
KIND_OF_STATE = {"vehicle": "vehicle", "cycle": "vehicle", "pedestrian": "human"}


@dataclass(slots=True)
class _Seen:
    """What later tables are compared with."""

    modality: dict[str, str] = field(default_factory=dict)
    channel: dict[str, str] = field(default_factory=dict)
    category: dict[str, str] = field(default_factory=dict)
    attribute: dict[str, str] = field(default_factory=dict)
    category_of: dict[str, str] = field(default_factory=dict)
    sample_us: dict[str, int] = field(default_factory=dict)
    scene_of: dict[str, str] = field(default_factory=dict)
    pose_us: dict[str, int] = field(default_factory=dict)


def check_tables(path: Path, faults: Faults) -> None:
    """Everything in the tables that can be wrong without looking into clouds; files are looked at, not read.

    Raises:
        FormatError: there are no tables at all.
    """
    folder = tables_folder(path)
    if folder is None:
        raise FormatError(path, "", "holds no nuScenes tables (no <version>/sample_data.json)")
    tables, seen = Tables(folder, faults), _Seen()
    _vocabulary(tables, seen)
    scenes = _scenes(tables, folder.parent)
    _samples(tables, seen, scenes)
    readings = _readings(tables, seen, folder.parent)
    _boxes(tables, seen)
    _splits(folder, {str(scene["name"]) for scene in scenes.values()}, faults)
    _lidarseg(folder, readings, faults)


def _vocabulary(tables: Tables, seen: _Seen) -> None:
    for row in tables.sound("category"):
        seen.category[row["token"]] = row["name"]
        if row["name"] not in CATEGORIES:
            tables.faults.add(STRANGE, "category.json", f"token {row['token']!r}", f"{row['name']!r}")
    for row in tables.sound("attribute"):
        seen.attribute[row["token"]] = row["name"]
        if row["name"] not in ATTRIBUTES:
            words = f"{row['name']!r} is no attribute of nuScenes"
            tables.faults.add(STRANGE, "attribute.json", f"token {row['token']!r}", words)
    for _ in tables.sound("visibility"):
        pass
    sensors = {row["token"]: row for row in tables.sound("sensor")}
    for row in tables.sound("calibrated_sensor"):
        sensor = sensors.get(row["sensor_token"])
        if sensor is not None:
            seen.modality[row["token"]], seen.channel[row["token"]] = sensor["modality"], sensor["channel"]
            _check_lens(tables, row, sensor["modality"])
    if "LIDAR_TOP" not in seen.channel.values():
        tables.faults.add(TOP, "sensor.json", "", f"the channels are {sorted(set(seen.channel.values()))}")
    for row in tables.sound("ego_pose"):
        seen.pose_us[row["token"]] = row["timestamp"]


def _check_lens(tables: Tables, row: Fields, modality: str) -> None:
    matrix = row.get("camera_intrinsic")
    camera = modality == "camera"
    square = isinstance(matrix, list) and [len(r) if isinstance(r, list) else 0 for r in matrix] == [3, 3, 3]
    if not (square if camera else matrix == []):
        words = f"camera_intrinsic of a {modality} is {str(matrix)[:60]}"
        tables.faults.add(LENS, "calibrated_sensor.json", f"token {row['token']!r}", words)


def _scenes(tables: Tables, root: Path) -> dict[str, Fields]:
    for _ in tables.sound("log"):
        pass
    mapped: set[str] = set()
    for row in tables.sound("map"):
        mapped.update(row["log_tokens"])
        if _file(tables, "map.json", root, row) is None:
            words = f"its file {row['filename']!r} is missing"
            tables.faults.add(MAP, "map.json", f"token {row['token']!r}", words)
    for token in sorted(tables.tokens["log"] - mapped):
        tables.faults.add(MAP, "log.json", f"token {token!r}", "is in the log_tokens of no map")
    return {row["token"]: row for row in tables.sound("scene")}


def _samples(tables: Tables, seen: _Seen, scenes: dict[str, Fields]) -> None:
    links: dict[str, Link] = {}
    counts: Counter[str] = Counter()
    for row in tables.sound("sample"):
        seen.sample_us[row["token"]], seen.scene_of[row["token"]] = row["timestamp"], row["scene_token"]
        links[row["token"]] = Link(row["prev"], row["next"], row["scene_token"], row["timestamp"])
        counts[row["scene_token"]] += 1
    chains = tables.check_chains("sample", links)
    for token, scene in scenes.items():
        told = scene["first_sample_token"], scene["last_sample_token"], scene["nbr_samples"]
        tables.check_ends("scene", token, told, chains.get(token, []), counts[token], "samples")


def _readings(tables: Tables, seen: _Seen, root: Path) -> dict[str, str]:
    """File names of the clouds by token."""
    file = "sample_data.json"
    links: dict[str, Link] = {}
    keys: dict[str, set[str]] = {}
    clouds: dict[str, str] = {}
    channels: set[str] = set()
    for row in tables.sound("sample_data"):
        place, channel = f"token {row['token']!r}", seen.channel.get(row["calibrated_sensor_token"], "")
        chain = f"{seen.scene_of.get(row['sample_token'], '')} {channel}"
        links[row["token"]] = Link(row["prev"], row["next"], chain, row["timestamp"])
        pose_us = seen.pose_us.get(row["ego_pose_token"], row["timestamp"])
        if pose_us != row["timestamp"]:
            words = f"taken at {row['timestamp']} us, its ego pose is of {pose_us} us"
            tables.faults.add(POSED, file, place, words)
        _check_file(tables, root, row, seen.modality.get(row["calibrated_sensor_token"], ""))
        if seen.modality.get(row["calibrated_sensor_token"]) == "lidar":
            clouds[row["token"]] = row["filename"]
        if row["is_key_frame"]:
            channels.add(channel)
            if channel in keys.setdefault(row["sample_token"], set()):
                tables.faults.add(KEYS, file, place, f"a second key frame of {channel}", "second")
            keys[row["sample_token"]].add(channel)
            apart_us = abs(row["timestamp"] - seen.sample_us.get(row["sample_token"], row["timestamp"]))
            if apart_us > APART_US:
                tables.faults.add(APART, file, place, f"{apart_us / 1000:.0f} ms from its sample", channel)
    tables.check_chains("sample_data", links)
    for sample in seen.sample_us:
        for channel in sorted(channels - keys.get(sample, set())):
            words = f"has no key frame of {channel}"
            tables.faults.add(KEYS, "sample.json", f"token {sample!r}", words, channel)
    return clouds


def _check_file(tables: Tables, root: Path, row: Fields, modality: str) -> None:
    file, place = "sample_data.json", f"token {row['token']!r}"
    found = _file(tables, file, root, row)
    if found is None:
        tables.faults.add(FILE, file, place, f"{row['filename']!r} is missing", row["filename"].split("/")[0])
        return
    if modality == "lidar" and found.suffix == ".bin" and found.stat().st_size % POINT_BYTES:
        words = f"{row['filename']!r} has {found.stat().st_size} bytes, no multiple of {POINT_BYTES}"
        tables.faults.add(SIZE, file, place, words, "cloud")
    if modality == "camera":
        try:
            size_px = image_size_px(found)
        except FormatError as error:
            tables.faults.add(SIZE, file, place, f"{row['filename']!r}: {error.message}", "image")
            return
        if size_px != (row.get("width"), row.get("height")):
            told = f"{row.get('width')}x{row.get('height')}"
            words = f"{row['filename']!r} has {size_px[0]}x{size_px[1]} pixels, its row says {told}"
            tables.faults.add(SIZE, file, place, words, "image")


def _file(tables: Tables, table: str, root: Path, row: Fields) -> Path | None:
    try:
        found = inside(root, row["filename"], root / table)
    except FormatError as error:
        tables.faults.add(OUTSIDE, table, f"token {row['token']!r}", error.message)
        return None
    return found if found.is_file() else None


def _boxes(tables: Tables, seen: _Seen) -> None:
    instances = {row["token"]: row for row in tables.sound("instance")}
    links: dict[str, Link] = {}
    counts: Counter[str] = Counter()
    for row in tables.sound("sample_annotation"):
        owner = row["instance_token"]
        time_us = seen.sample_us.get(row["sample_token"], 0)
        links[row["token"]] = Link(row["prev"], row["next"], owner, time_us)
        counts[owner] += 1
        category = seen.category.get(instances[owner]["category_token"], "") if owner in instances else ""
        _check_box(tables, seen, row, category)
    chains = tables.check_chains("sample_annotation", links)
    for token, row in instances.items():
        told = row["first_annotation_token"], row["last_annotation_token"], row["nbr_annotations"]
        tables.check_ends("instance", token, told, chains.get(token, []), counts[token], "annotations")


def _check_box(tables: Tables, seen: _Seen, row: Fields, category: str) -> None:
    file, place = "sample_annotation.json", f"token {row['token']!r}"
    if min(row["size"]) <= 0:
        tables.faults.add(BOX, file, place, f"its size is {row['size']}")
    states = [seen.attribute.get(token, "") for token in row["attribute_tokens"]]
    if len(states) > 1:
        tables.faults.add(STATE, file, place, f"says {', '.join(states)}")
    for state in states:
        kind = KIND_OF_STATE.get(state.partition(".")[0])
        if kind is not None and category in CATEGORIES and not category.startswith(kind):
            tables.faults.add(UNFIT, file, place, f"{state} at a {category}", state)


def _splits(folder: Path, scenes: set[str], faults: Faults) -> None:
    if not (folder / "splits.json").is_file():
        return
    try:
        splits = read_json(folder / "splits.json")
    except FormatError as error:
        faults.add(SPLIT, "splits.json", error.where, error.message)
        return
    for name, members in splits.items() if isinstance(splits, dict) else ():
        for scene in members if isinstance(members, list) else ():
            if scene not in scenes:
                faults.add(SPLIT, "splits.json", name, f"scene {scene!r} is not in scene.json", name)


def _lidarseg(folder: Path, clouds: dict[str, str], faults: Faults) -> None:
    if not (folder / "lidarseg.json").is_file():
        return
    try:
        listed = read_json(folder / "lidarseg.json")
        for row in listed if isinstance(listed, list) else ():
            _check_lidarseg(folder.parent, row, clouds, faults)
    except FormatError as error:
        faults.add(LIDARSEG, "lidarseg.json", error.where, error.message)


def _check_lidarseg(root: Path, row: object, clouds: dict[str, str], faults: Faults) -> None:
    file = "lidarseg.json"
    known = isinstance(row, dict) and isinstance(row.get("filename"), str)
    if not known or not isinstance(row, dict):
        faults.add(LIDARSEG, file, "", f"a row without a file: {json.dumps(row)[:60]}", "row")
        return
    place = f"token {row.get('token')!r}"
    cloud = clouds.get(str(row.get("sample_data_token")))
    if cloud is None:
        faults.add(LIDARSEG, file, place, "its sample_data_token is no cloud", "token")
        return
    labels = inside(root, row["filename"], root / file)
    if not labels.is_file():
        faults.add(LIDARSEG, file, place, f"{row['filename']!r} is missing", "file")
    elif (root / cloud).is_file() and labels.suffix == ".bin":
        points = (root / cloud).stat().st_size // POINT_BYTES
        if labels.stat().st_size != points:
            words = f"{labels.stat().st_size} classes for {points} points"
            faults.add(LIDARSEG, file, place, words, "count")
