"""Instances and annotations to tracks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from calib.errors import CrosslabelError
from formats.nuscenes.categories import nuscenes_attribute, nuscenes_category
from formats.nuscenes.index import Index, index_of
from formats.nuscenes.read import instants_of_samples, scene_of
from formats.nuscenes.sensors import poses_of
from formats.nuscenes.tables import Row
from formats.nuscenes.tokens import EXTRA
from fusion.boxes import Box3D
from fusion.labels import Annotation, Attributes, ImageBox, LabelSet, Review, Source, Track
from fusion.log import DriveLog

TOKENS = {"token", "sample_token", "instance_token", "attribute_tokens", "visibility_token", "prev", "next"}
KNOWN = frozenset({*TOKENS, "translation", "size", "rotation", EXTRA})


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a scene, brought into the car's frame by the trajectory of its log.

    What our own writer wrote comes back as it was; of others, the attribute, the visibility, the
    counts of points and fields that nuScenes does not know are kept among the attributes.

    Raises:
        FormatError: a row that cannot be, or a token that leads nowhere.
        TimeRangeError: a label outside of the trajectory.
    """
    index = index_of(path)
    scene = scene_of(index, log.name)
    instances = {row.text("token"): row for row in index.rows_of("instance", scene)}
    annotations: dict[str, dict[int, Annotation]] = {token: {} for token in instances}
    rows = index.rows_of("sample_annotation", scene)
    categories = {token: _category(index, row) for token, row in instances.items()}
    for row, instant_ns, box in _boxes(index, scene, log, rows):
        instance = row.text("instance_token")
        if instance not in instances:
            raise row.error(f"instance_token {instance!r} is in no row of instance.json")
        if instant_ns in annotations[instance]:
            raise row.error("its instance has two annotations in one sample")
        annotations[instance][instant_ns] = _annotation(index, row, instant_ns, box, instances[instance])
    tracks = [
        _track(row, row.extra or {"id": token}, categories[token], annotations[token])
        for token, row in instances.items()
    ]
    tracks += [_track(scene, extra, None, {}) for extra in _objects(scene, "boxless_tracks")]
    return _label_set(scene, tracks)


def _boxes(index: Index, scene: Row, log: DriveLog, rows: list[Row]) -> Iterable[tuple[Row, int, Box3D]]:
    """Annotations with their frames and their boxes in the frame of the car."""
    if not rows:
        return
    of_sample = instants_of_samples(index, scene)
    instants_ns = [of_sample[row.text("sample_token")] for row in rows]
    world_from_box = poses_of(rows)
    ego_from_world = log.trajectory.at_many(instants_ns).inverse()
    ego_from_box = ego_from_world @ world_from_box
    for index_of_row, (row, instant_ns) in enumerate(zip(rows, instants_ns, strict=True)):
        width_m, length_m, height_m = row.numbers("size", 3)
        try:
            yield row, instant_ns, Box3D(ego_from_box[index_of_row], length_m, width_m, height_m)
        except CrosslabelError as error:
            raise row.error(str(error)) from None


def _category(index: Index, instance: Row) -> str:
    """The class as it was called before it was written, unless somebody has given it another since."""
    name = index.refer(instance, "category_token", "category").text("name")
    before = instance.extra.get("category")
    return before if isinstance(before, str) and nuscenes_category(before) == name else name


def _annotation(index: Index, row: Row, instant_ns: int, box: Box3D, instance: Row) -> Annotation:
    extra = row.extra
    if not extra:
        return Annotation(instant_ns, box, Source.IMPORTED, attributes=_foreign_attributes(index, row))
    attributes = dict(_mapping(row, extra))
    whole = {**_mapping(instance, instance.extra), **attributes}
    name = _attribute(index, row)
    if name is not None and name != nuscenes_attribute(_category(index, instance), whole):
        attributes["attribute"] = name
    return Annotation(
        instant_ns, box, _source(row, extra), _score(row, extra), bool(extra.get("locked")), attributes
    )


def _foreign_attributes(index: Index, row: Row) -> Attributes:
    attributes = {name: value for name, value in row.fields.items() if name not in KNOWN}
    name = _attribute(index, row)
    if name is not None:
        attributes["attribute"] = name
    if row.fields.get("visibility_token"):
        attributes["visibility"] = index.refer(row, "visibility_token", "visibility").fields.get("level")
    return attributes


def _attribute(index: Index, row: Row) -> str | None:
    """The names of a row's attributes, of which there is one at most in nuScenes."""
    tokens = row.fields.get("attribute_tokens", [])
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise row.error("attribute_tokens must be a list of texts")
    for token in tokens:
        if token not in index.small["attribute"]:
            raise row.error(f"attribute token {token!r} is in no row of attribute.json")
    names = [index.small["attribute"][token].text("name") for token in tokens]
    return ", ".join(names) or None


def _track(
    row: Row, extra: dict[str, Any], category: str | None, annotations: dict[int, Annotation]
) -> Track:
    id, name = extra.get("id"), category or extra.get("category")
    if not isinstance(id, str) or not isinstance(name, str):
        raise row.error(f"a track needs an id and a category, not {id!r} and {name!r}")
    boxes = dict(_image_box(row, entry) for entry in _objects(row, "image_boxes", extra))
    return Track(id, name, annotations, boxes, _mapping(row, extra))


def _image_box(row: Row, entry: dict[str, Any]) -> tuple[tuple[str, int], ImageBox]:
    camera, timestamp_ns = entry.get("camera"), entry.get("timestamp_ns")
    if not isinstance(camera, str) or not isinstance(timestamp_ns, int):
        raise row.error("an image box needs a camera and a timestamp_ns")
    left, top, right, bottom = Row(row.path, {**entry, "token": row.fields.get("token")}).numbers(
        "ltrb_px", 4
    )
    source, score = _source(row, entry), _score(row, entry)
    box = ImageBox(left, top, right, bottom, source, score, _mapping(row, entry))
    return (camera, timestamp_ns), box


def _label_set(scene: Row, tracks: list[Track]) -> LabelSet:
    ids = [track.id for track in tracks]
    if len(set(ids)) < len(ids):
        raise scene.error("two tracks have one id")
    try:
        reviews = [Review(**entry) for entry in _objects(scene, "reviews")]
    except TypeError as error:
        raise scene.error(f"a review has wrong fields: {error}") from None
    attributes = scene.extra.get("label_attributes", {})
    if not isinstance(attributes, dict):
        raise scene.error("label_attributes must be an object")
    return LabelSet({track.id: track for track in tracks}, {r.id: r for r in reviews}, attributes)


def _objects(row: Row, name: str, extra: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    value = (row.extra if extra is None else extra).get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise row.error(f"{name} must be a list of objects")
    return value


def _mapping(row: Row, extra: dict[str, Any]) -> dict[str, Any]:
    value = extra.get("attributes", {})
    if not isinstance(value, dict):
        raise row.error("attributes must be an object")
    return value


def _source(row: Row, extra: dict[str, Any]) -> Source:
    try:
        return Source(extra.get("source", Source.HUMAN))
    except ValueError as error:
        raise row.error(str(error)) from None


def _score(row: Row, extra: dict[str, Any]) -> float | None:
    score = extra.get("score")
    if score is not None and type(score) not in (int, float):
        raise row.error(f"the score must be a number, not {score!r}")
    return score
