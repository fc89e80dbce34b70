"""Labels and clouds written for labelCloud."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from calib.se3 import SE3
from formats.errors import FormatError
from formats.extras import labels_extra
from formats.files import atomic_folder, write_json
from formats.labelcloud.boxes import FARTHEST, KINDS, RELATIVE, box_content
from formats.labelcloud.folder import (
    BESIDE,
    CLASSES,
    CLOUDS,
    LABELS,
    cloud_names,
    log_folder,
    name_of_instant,
)
from formats.labelcloud.read import EXTRA, USED
from formats.pointcloud import PointCloud, write_pcd
from formats.provenance import provenance, require_near, spread
from fusion.align import read_deskewed
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.progress import Progress


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    boxes: str = RELATIVE,
    progress: Progress | None = None,
) -> None:
    """Writes the clouds and labels of logs, a folder each, into a folder that is new or empty.

    Raises:
        FormatError: something stands there, it cannot be written, or two logs share a name.
    """
    if boxes not in KINDS:
        raise FormatError(path, "boxes", f"{boxes!r} is none of {', '.join(KINDS)}")
    with atomic_folder(path) as root:
        for log, labels in pairs:
            folder = log_folder(root, log.name)
            if folder.exists():
                raise FormatError(path, log.name, "two logs of this name")
            names = cloud_names(log)
            for done, (timestamp_ns, name) in enumerate(names.items(), start=1):
                _write_cloud(folder / CLOUDS / f"{name}.pcd", log, timestamp_ns)
                if progress is not None:
                    progress(log.name, done, len(names))
            _write_labels(folder, log, labels, boxes)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `<log>/labels/<cloud>.json` for every labelled frame into a folder.

    Raises:
        FormatError: it cannot be written, or the log's name is not that of a folder.
    """
    _write_labels(log_folder(path, log.name), log, labels, RELATIVE)


def _write_cloud(file: Path, log: DriveLog, timestamp_ns: int) -> None:
    ref = log.sweep_at(timestamp_ns)
    if ref is not None:
        sweep = read_deskewed(log, ref)
        write_pcd(file, PointCloud(sweep.points, sweep.intensity, sweep.ring))


def _write_labels(folder: Path, log: DriveLog, labels: LabelSet, kind: str) -> None:
    require_near(folder, labels, FARTHEST / 2)
    lidar = log.rig.main_lidar
    lidar_from_ego = SE3.identity() if lidar is None else lidar.ego_from_sensor.inverse()
    names = cloud_names(log)
    for timestamp_ns in labels.timestamps_ns():
        name = names.get(timestamp_ns) or name_of_instant(timestamp_ns)
        here = labels.at(timestamp_ns)
        content = {
            "folder": CLOUDS,
            "filename": f"{name}.pcd",
            "path": f"{CLOUDS}/{name}.pcd",
            "objects": [_object(track, annotation, lidar_from_ego, kind) for track, annotation in here],
        }
        write_json(folder / LABELS / f"{name}.json", content, indent=1)
    write_json(folder / LABELS / CLASSES, _classes(labels, kind), indent=1)
    write_json(folder / BESIDE, labels_extra(labels))


def _object(track: Track, annotation: Annotation, lidar_from_ego: SE3, kind: str) -> dict[str, Any]:
    free, taken = spread(annotation.attributes, USED)
    extra: dict[str, Any] = {"track": track.id, **provenance(annotation)}
    extra |= {"attributes": taken} if taken else {}
    return {"name": track.category, **box_content(annotation.box, lidar_from_ego, kind), **free, EXTRA: extra}


def _classes(labels: LabelSet, kind: str) -> dict[str, Any]:
    """What labelCloud wants to know of classes: a number and a colour each."""
    names = sorted({track.category for track in labels.tracks.values()} - {""}) or ["object"]
    colours = [hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:6] for name in names]
    classes = [
        {"name": n, "id": k, "color": f"#{c}"} for k, (n, c) in enumerate(zip(names, colours, strict=True))
    ]
    return {"classes": classes, "default": 0, "type": "object_detection", "format": kind}
