"""Logs and labels to a nuScenes-style data set."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from formats.errors import FormatError
from formats.files import atomic_folder
from formats.nuscenes.beside import BesideWriter
from formats.nuscenes.common import Common
from formats.nuscenes.log import beside_of
from formats.nuscenes.plan import Plan, plan_of
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import EXTRA, microseconds, token_of
from formats.nuscenes.write_labels import LabelWriter
from formats.nuscenes.write_sensors import SensorWriter
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

VERSION = "v1.0-crosslabel"


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    version: str = VERSION,
    keyframe_every: int | None = None,
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
        keyframe_every: every n-th frame becomes an annotated sample, the others become sweeps. By default
            those that were samples of nuScenes before stay so, unless others are labelled too, and of other
            logs every frame is a sample.
        undistort: images of cameras with distortion are resampled to what a pinhole would see, as all of
            nuScenes takes them for; else they stay as they were taken and only our reader knows it.
        hard_links: link files of images and radars where the file system can, instead of copying them.
        progress: called with a log's name, readings written so far and readings in all.

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
    """
    if keyframe_every is not None and keyframe_every < 1:
        raise FormatError(path, "keyframe_every", f"must be at least 1, not {keyframe_every}")
    if not version or version in ("maps", "samples", "sweeps") or Path(version).name != version:
        raise FormatError(path, "version", f"{version!r} cannot be the name of the folder of tables")
    with atomic_folder(path) as root, TableWriter(root / version) as tables:
        common = Common(root, tables, hard_links)
        for log, labels in pairs:
            if log.name in common.names:
                raise FormatError(path, f"log {log.name!r}", "is given twice")
            common.add(log)
            plan = plan_of(log, keyframe_every or 1, _keyframes_ns(log, labels, keyframe_every))
            with SensorWriter(root, tables, log, plan, hard_links, undistort, progress) as sensors:
                _write_log(labels, sensors, common)
        if not common.names:
            raise FormatError(path, "", "there is no log to write")
        common.write()


def _keyframes_ns(log: DriveLog, labels: LabelSet, keyframe_every: int | None) -> set[int] | None:
    """What were samples before, where the labels stand on them and nothing else is asked for."""
    beside = beside_of(log)
    if keyframe_every is not None or beside is None:
        return None
    samples_ns = set(beside.samples_ns)
    return samples_ns if samples_ns.issuperset(labels.timestamps_ns()) else None


def _write_log(labels: LabelSet, sensors: SensorWriter, common: Common) -> None:
    tables, log, plan = sensors.tables, sensors.log, sensors.plan
    beside = beside_of(log)
    before = BesideWriter(beside, sensors, labels, common) if beside else None
    if before is not None:
        before.carry_fields()
    label_writer = LabelWriter(tables, log, labels, plan, common.vocabulary)
    label_writer.check()
    _write_scene(tables, log, label_writer)
    _write_samples(tables, log, plan)
    label_writer.write_instances()
    images = plan.images()
    for reading, sweep in sensors.write_main_lidar():
        if reading.is_key_frame:
            label_writer.write_frame(reading.sample, sweep, images.get(reading.sample, []))
    sensors.write_others()
    sensors.write_trajectory()
    if before is not None:
        before.write_tables()


def _write_scene(tables: TableWriter, log: DriveLog, label_writer: LabelWriter) -> None:
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
    extra = {
        "metadata": dict(log.metadata),
        "missing": [[frame.sensor, frame.timestamp_ns, frame.reason] for frame in log.missing],
        **label_writer.scene_extra(),
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
