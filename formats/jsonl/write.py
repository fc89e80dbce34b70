"""Labels to JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.extras import labels_extra, track_extra
from formats.files import inside, replaced_file
from formats.provenance import provenance
from fusion.labels import Annotation, LabelSet
from fusion.log import DriveLog

SCHEMA, SUFFIX = 1, ".jsonl"


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `path` itself where it ends in .jsonl, else `<log>.jsonl` in that folder.

    Raises:
        FormatError: it cannot be written.
    """
    file = path if path.suffix == SUFFIX else inside(path, log.name + SUFFIX, path, "name of the log")
    with replaced_file(file) as part, part.open("w", encoding="utf-8", newline="\n") as stream:
        for record in records(log.name, labels):
            stream.write(_line(file, record))


def records(log_name: str, labels: LabelSet) -> Iterator[dict[str, Any]]:
    """What each line says, in order."""
    whole = labels_extra(labels)
    yield {
        "log": log_name,
        "schema": SCHEMA,
        "attributes": whole["attributes"],
        "reviews": sorted(whole["reviews"], key=lambda review: str(review["id"])),
    }
    for track_id in sorted(labels.tracks):
        track = labels.tracks[track_id]
        said = track_extra(track)
        image_boxes = said.pop("image_boxes", [])
        yield {"track": said}
        for seen in image_boxes:
            yield {"of": track_id, "image_box": seen}
        for annotation in track.annotations.values():
            yield {"of": track_id, **box_record(annotation)}


def box_record(annotation: Annotation) -> dict[str, Any]:
    """One box, in words and numbers."""
    box = annotation.box
    said: dict[str, Any] = {
        "timestamp_ns": annotation.timestamp_ns,
        "center_m": box.center.tolist(),
        "size_lwh_m": box.size_lwh_m.tolist(),
        "rotation_wxyz": box.ego_from_box.quaternion_wxyz.tolist(),
        **provenance(annotation),
    }
    return said | ({"attributes": dict(annotation.attributes)} if annotation.attributes else {})


def _line(file: Path, record: dict[str, Any]) -> str:
    try:
        text = json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode()
        return text + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(file, "", f"cannot be written as JSON: {error}") from None
