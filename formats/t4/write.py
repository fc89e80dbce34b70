"""Logs and labels to data sets of T4, one a log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from formats.extras import labels_extra
from formats.files import atomic_folder, write_bytes, write_json
from formats.merged import merged_sweeps
from formats.names import new_place
from formats.nuscenes.plan import Plan, Reading, plan_of
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import microseconds, token_of
from formats.provenance import provenance
from formats.t4.rows import LabelRows
from formats.t4.sensors import CONCAT, SensorRows
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef
from fusion.progress import Progress

TABLES, BESIDE = "annotation", "crosslabel/labels.json"
MAP_SIDE_PX = 64


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    hard_links: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes a data set a log, in folders named after the logs; every frame is a sample.

    Args:
        path: a folder that is new or empty; it appears when everything is written.
        pairs: logs of different names, and their labels.
        hard_links: link image files where the file system can, instead of copying them.
        progress: called with a log's name, steps done so far and steps in all.

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
        TimeRangeError: a log has no frame within its trajectory.
    """
    with atomic_folder(path) as root:
        for log, labels in pairs:
            folder = new_place(root, path, log.name)
            _write_log(folder, log, labels, hard_links, progress)


def _write_log(
    folder: Path, log: DriveLog, labels: LabelSet, hard_links: bool, progress: Progress | None
) -> None:
    plan = plan_of(log, keyframe_every=1)
    channels = [channel for channel in plan.channels if channel.modality == "camera"]
    total = len(plan.samples_ns) + len(channels)
    with TableWriter(folder / TABLES) as tables:
        rows = LabelRows(tables, log, labels, plan.samples_ns.tolist())
        sensors = SensorRows(folder, tables, log, hard_links)
        rows.write_vocabulary()
        rows.write_instances()
        _write_scene(folder, tables, log, plan)
        merged = {sweep.timestamp_ns: sweep for sweep in merged_sweeps(log)}
        images = plan.images()
        readings, names = [], []
        for index, timestamp_ns in enumerate(plan.samples_ns.tolist()):
            token = token_of(log.name, CONCAT, timestamp_ns)
            reading = Reading(token, timestamp_ns, index, is_key_frame=True, ref=None)
            points = merged[timestamp_ns].read(log) if timestamp_ns in merged else None
            names.append(sensors.write_points(index, points))
            readings.append(reading)
            cloud = np.empty((0, 3)) if points is None else points.points_ego
            rows.write_frame(timestamp_ns, _sample(log, index), cloud, images.get(index, []))
            if progress is not None:
                progress(log.name, index + 1, total)
        sensors.write_lidar(readings, names)
        for done, channel in enumerate(channels, start=len(plan.samples_ns) + 1):
            shot = tuple(r for r in channel.readings if isinstance(r.ref, ImageRef))
            sensors.write_camera(replace(channel, readings=shot))
            if progress is not None:
                progress(log.name, done, total)
    _write_beside(folder, log, labels)


def _sample(log: DriveLog, index: int) -> str:
    return token_of(log.name, "sample", index)


def _write_scene(folder: Path, tables: TableWriter, log: DriveLog, plan: Plan) -> None:
    """The rows of log, map, scene and sample, and a blank map."""
    import cv2

    begun = datetime.fromtimestamp(int(log.timestamps_ns[0]) // 10**9, tz=UTC)
    log_token = tables.add(
        "log",
        token_of(log.name, "log"),
        logfile=log.metadata.get("logfile", log.name),
        vehicle=log.metadata.get("vehicle", ""),
        data_captured=begun.strftime("%Y-%m-%d-%H-%M-%S"),
        location=log.metadata.get("location", ""),
    )
    blank = cv2.imencode(".png", np.zeros((MAP_SIDE_PX, MAP_SIDE_PX), dtype=np.uint8))[1]
    write_bytes(folder / "map" / "blank.png", blank.tobytes())
    map_token = token_of(log.name, "map")
    tables.add("map", map_token, log_tokens=[log_token], category="", filename="map/blank.png")
    times_ns = plan.samples_ns.tolist()
    tokens = ["", *(_sample(log, index) for index in range(len(times_ns))), ""]
    scene = tables.add(
        "scene",
        token_of(log.name, "scene"),
        name=log.name,
        description=log.metadata.get("description", ""),
        log_token=log_token,
        nbr_samples=len(times_ns),
        first_sample_token=tokens[1],
        last_sample_token=tokens[-2],
    )
    for index, timestamp_ns in enumerate(times_ns):
        tables.add(
            "sample",
            tokens[index + 1],
            timestamp=microseconds(timestamp_ns),
            scene_token=scene,
            prev=tokens[index],
            next=tokens[index + 2],
        )


def _write_beside(folder: Path, log: DriveLog, labels: LabelSet) -> None:
    """What T4 has no place for, with tracks by id and annotations by their instants."""
    content = labels_extra(labels)
    for entry, track in zip(content["tracks"], labels.tracks.values(), strict=True):
        entry["annotations"] = [
            {"timestamp_ns": t, **provenance(a), "attributes": dict(a.attributes)}
            for t, a in track.annotations.items()
        ]
    write_json(folder / BESIDE, content | {"metadata": dict(log.metadata)})
