"""Logs and labels to a nuScenes-style data set."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from formats.errors import FormatError
from formats.files import atomic_folder, write_bytes, write_json
from formats.nuscenes.plan import Plan, plan_of
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import EXTRA, microseconds, token_of
from formats.nuscenes.write_labels import LabelWriter, write_vocabulary
from formats.nuscenes.write_sensors import SensorWriter
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

VERSION = "v1.0-crosslabel"
SPLIT = "all"
MAP_SIDE_PX = 64


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    version: str = VERSION,
    keyframe_every: int = 1,
    undistort: bool = True,
    hard_links: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels as one data set in the layout of nuScenes v1.0.

    Rows come in the order of the logs, one log at a time, so memory does not grow with their number.
    The same input gives the same files.

    Args:
        path: a folder that is new or empty; it appears when everything is written.
        pairs: logs of different names, and their labels.
        version: name of the folder of tables.
        keyframe_every: every n-th frame becomes an annotated sample, the others become sweeps.
        undistort: images of cameras with distortion are resampled to what a pinhole would see, as all of
            nuScenes takes them for; else they stay as they were taken and only our reader knows it.
        hard_links: link image files where the file system can, instead of copying them.
        progress: called with a log's name, readings written so far and readings in all.

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
    """
    if keyframe_every < 1:
        raise FormatError(path, "keyframe_every", f"must be at least 1, not {keyframe_every}")
    if not version or version in ("maps", "samples", "sweeps") or Path(version).name != version:
        raise FormatError(path, "version", f"{version!r} cannot be the name of the folder of tables")
    names: list[str] = []
    with atomic_folder(path) as root, TableWriter(root / version) as tables:
        write_vocabulary(tables)
        for log, labels in pairs:
            if log.name in names:
                raise FormatError(path, f"log {log.name!r}", "is given twice")
            names.append(log.name)
            plan = plan_of(log, keyframe_every)
            sensors = SensorWriter(root, tables, log, plan, hard_links, undistort, progress)
            _write_log(tables, log, labels, sensors)
        if not names:
            raise FormatError(path, "", "there is no log to write")
        _write_map(root, tables, names)
        write_json(root / version / "splits.json", {SPLIT: names})


def _write_log(tables: TableWriter, log: DriveLog, labels: LabelSet, sensors: SensorWriter) -> None:
    plan = sensors.plan
    label_writer = LabelWriter(tables, log, labels, plan)
    label_writer.check()
    _write_scene(tables, log, labels, label_writer)
    _write_samples(tables, log, plan)
    label_writer.write_instances()
    images = plan.images()
    for reading, sweep in sensors.write_main_lidar():
        if reading.is_key_frame:
            label_writer.write_frame(reading.sample, sweep, images.get(reading.sample, []))
    sensors.write_others()
    sensors.write_trajectory()


def _write_scene(tables: TableWriter, log: DriveLog, labels: LabelSet, label_writer: LabelWriter) -> None:
    samples = label_writer.plan.sample_tokens
    day = datetime.fromtimestamp(int(log.timestamps_ns[0]) // 10**9, tz=UTC).date().isoformat()
    tables.add(
        "log",
        token_of(log.name, "log"),
        logfile=log.metadata.get("logfile", log.name),
        vehicle=log.metadata.get("vehicle", ""),
        date_captured=log.metadata.get("date_captured", day),
        location=log.metadata.get("location", ""),
    )
    reviews = [
        {
            name: getattr(review, name)
            for name in ("id", "text", "author", "state", "track_id", "timestamp_ns")
        }
        for review in labels.reviews.values()
    ]
    extra = {
        "metadata": dict(log.metadata),
        "missing": [[frame.sensor, frame.timestamp_ns, frame.reason] for frame in log.missing],
        "label_attributes": dict(labels.attributes),
        "reviews": reviews,
        "boxless_tracks": label_writer.boxless_tracks(),
    }
    tables.add(
        "scene",
        token_of(log.name, "scene"),
        name=log.name,
        description=log.metadata.get("description", ""),
        log_token=token_of(log.name, "log"),
        nbr_samples=len(samples),
        first_sample_token=samples[0],
        last_sample_token=samples[-1],
        **{EXTRA: extra},
    )


def _write_samples(tables: TableWriter, log: DriveLog, plan: Plan) -> None:
    tokens = ("", *plan.sample_tokens, "")
    for index, timestamp_ns in enumerate(plan.samples_ns.tolist()):
        tables.add(
            "sample",
            tokens[index + 1],
            timestamp=microseconds(timestamp_ns),
            scene_token=token_of(log.name, "scene"),
            prev=tokens[index],
            next=tokens[index + 2],
            **{EXTRA: {"timestamp_ns": timestamp_ns}},
        )


def _write_map(root: Path, tables: TableWriter, names: list[str]) -> None:
    """A blank map of every log: the devkit opens no data set without one."""
    import cv2
    import numpy as np

    token = token_of("map", *names)
    blank = cv2.imencode(".png", np.zeros((MAP_SIDE_PX, MAP_SIDE_PX), dtype=np.uint8))[1]
    write_bytes(root / "maps" / f"{token}.png", blank.tobytes())
    logs = [token_of(name, "log") for name in names]
    tables.add("map", token, log_tokens=logs, category="semantic_prior", filename=f"maps/{token}.png")
