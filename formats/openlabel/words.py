"""How OpenLABEL names objects and says attributes."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

from formats.extras import json_text, read_json_text
from formats.fields import Field
from fusion.labels import Attributes, Json

UID = re.compile(r"-?[0-9]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
EXTRA = "crosslabel"
KINDS = ("text", "num", "boolean", "vec")
# What a name of an attribute means in files of ours; attributes of these names go into the last, as JSON.
SOURCE, SCORE, LOCKED, INSTANT, REST = "source", "score", "locked", "timestamp_ns", "crosslabel_attributes"
RESERVED = frozenset({SOURCE, SCORE, LOCKED, INSTANT, REST})

Said = dict[str, list[dict[str, Any]]]


def uid_of(track_id: str) -> str:
    """The key of a track's object: its id where that may be one."""
    return track_id if UID.fullmatch(track_id) else str(uuid.uuid5(uuid.NAMESPACE_OID, track_id))


def track_id_of(uid: str, name: str) -> str:
    """The id of an object's track: the name that the key was made of, else the key."""
    return name if uid_of(name) == uid else uid


def say(path: Path, where: str, attributes: Attributes, **ours: Json) -> Said:
    """Attributes by their kinds; what OpenLABEL has no kind for goes into one text of JSON.

    Raises:
        FormatError: a value that JSON does not have.
    """
    said: Said = {}
    rest = {key: value for key, value in attributes.items() if key in RESERVED or _kind(value) is None}
    plain = {key: value for key, value in attributes.items() if key not in rest}
    extra = {REST: json_text(path, where, rest)} if rest else {}
    for name, value in [*ours.items(), *plain.items(), *extra.items()]:
        said.setdefault(_kind(value) or "text", []).append({"name": name, "val": value})
    return said


def _kind(value: Json) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "num" if abs(value) < 1e300 else None
    if isinstance(value, list):
        kinds = {_kind(part) for part in value}
        return "vec" if kinds <= {"num"} or kinds <= {"text"} else None
    return None


def hear(said: Field | None) -> tuple[dict[str, Json], dict[str, Json]]:
    """Attributes by name, of all kinds, and those that were put into the text of JSON.

    Of an attribute without a name, the kind is the name.

    Raises:
        FormatError: a value that is not of its kind.
    """
    found: dict[str, Json] = {}
    for kind in KINDS:
        listed = said.get(kind) if said else None
        for entry in listed.entries() if listed else ():
            name = entry.get("name")
            found[name.text() if name else kind] = _value(kind, entry["val"])
    text = found.get(REST)
    if said is None or not isinstance(text, str):
        return found, {}
    del found[REST]
    rest = read_json_text(said.path, f"{said.where}.{REST}", text)
    return found, {key: part.value for key, part in rest.items()}


def _value(kind: str, value: Field) -> Json:
    if kind == "text":
        return value.text()
    if kind == "boolean":
        return value.flag()
    if kind == "num":
        value.number()
        return value.value  # type: ignore[no-any-return]
    return [
        entry.value if isinstance(entry.value, str) else _value("num", entry) for entry in value.entries()
    ]
