"""Labels of labelCloud read."""

from __future__ import annotations

from pathlib import Path

from calib.se3 import SE3
from formats.extras import Extras, read_attributes, read_extras
from formats.fields import Field, read_json_fields
from formats.labelcloud.boxes import ABSOLUTE, KINDS, in_degrees, read_box
from formats.labelcloud.folder import BESIDE, CLASSES, cloud_names, instant_of, label_files, label_folder
from formats.provenance import with_provenance
from fusion.labels import Annotation, LabelSet, Source
from fusion.log import DriveLog

EXTRA = "crosslabel"
USED = frozenset({"name", "centroid", "dimensions", "rotations", "vertices", EXTRA})


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log's clouds.

    An object that does not say its track is one of its own, called by its cloud and its place there. Whether
    turns are degrees is told by `_classes.json`; without it, by their size.

    Raises:
        FormatError: a file is malformed, no cloud has its name, or a track stands twice in one cloud.
    """
    folder = label_folder(path, log.name)
    lidar = log.rig.main_lidar
    ego_from_lidar = SE3.identity() if lidar is None else lidar.ego_from_sensor
    extras = _beside(folder)
    names = {name: t for t, name in cloud_names(log).items()}
    clouds = [(file, read_json_fields(file)["objects"].entries()) for file in label_files(folder)]
    degrees = _in_degrees(folder, [entry for _, entries in clouds for entry in entries])
    categories: dict[str, str] = {}
    annotations: dict[str, dict[int, Annotation]] = {}
    for file, entries in clouds:
        timestamp_ns = instant_of(file, names)
        for place, entry in enumerate(entries):
            extra = entry.get(EXTRA)
            id = extra["track"].text() if extra else f"{file.stem}/{place}"
            category = categories.setdefault(id, entry["name"].text())
            there = annotations.setdefault(id, {})
            if timestamp_ns in there:
                raise entry.error(f"the track {id!r} stands twice in this cloud")
            attributes = {key: field.value for key, field in entry.items() if key not in USED}
            if entry["name"].text() != category:
                attributes["name"] = entry["name"].text()
            box = read_box(entry, ego_from_lidar, degrees)
            attributes |= read_attributes(extra) if extra else {}
            one = Annotation(timestamp_ns, box, Source.IMPORTED, attributes=attributes)
            there[timestamp_ns] = with_provenance(one, extra) if extra else one
    return extras.with_annotations(annotations, categories)


def _beside(folder: Path) -> Extras:
    file = folder.parent / BESIDE
    return read_extras(read_json_fields(file)) if file.is_file() else Extras()


def _in_degrees(folder: Path, entries: list[Field]) -> bool:
    file = folder / CLASSES
    if file.is_file():
        kind = read_json_fields(file).get("format")
        if kind is not None and kind.value in KINDS:
            return kind.text() == ABSOLUTE
    return in_degrees(entries)
