"""The boxes of a frame as a SceneUpdate of Foxglove."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from foxglove_schemas_protobuf.Color_pb2 import Color
from foxglove_schemas_protobuf.CubePrimitive_pb2 import CubePrimitive
from foxglove_schemas_protobuf.KeyValuePair_pb2 import KeyValuePair
from foxglove_schemas_protobuf.SceneEntity_pb2 import SceneEntity
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from foxglove_schemas_protobuf.TextPrimitive_pb2 import TextPrimitive
from foxglove_schemas_protobuf.Vector3_pb2 import Vector3
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped, unused-ignore]

from calib.se3 import SE3
from formats.extras import json_text
from formats.mcap.messages import NS, pose, stamp
from formats.mcap.names import ATTACHMENT, EGO
from formats.provenance import provenance
from fusion.labels import Annotation, Track

SEE_THROUGH, ABOVE_M, FONT = 0.35, 0.3, 12.0


def scene(path: Path, lasts_ns: int, here: Iterable[tuple[Track, Annotation]]) -> SceneUpdate:
    """The objects of a frame, which are gone when the next one begins.

    Raises:
        FormatError: attributes that are no JSON.
    """
    return SceneUpdate(entities=[_entity(path, track, a, lasts_ns) for track, a in here])


def _entity(path: Path, track: Track, annotation: Annotation, lasts_ns: int) -> SceneEntity:
    box, (red, green, blue) = annotation.box, color_of(track.category)
    above = np.array([*box.center[:2], box.corners()[:, 2].max() + ABOVE_M])
    return SceneEntity(
        timestamp=stamp(annotation.timestamp_ns),
        frame_id=EGO,
        id=track.id,
        lifetime=Duration(seconds=lasts_ns // NS, nanos=lasts_ns % NS),
        metadata=[KeyValuePair(key=k, value=v) for k, v in _told(path, track, annotation).items()],
        cubes=[
            CubePrimitive(
                pose=pose(box.ego_from_box),
                size=Vector3(x=box.length_m, y=box.width_m, z=box.height_m),
                color=Color(r=red, g=green, b=blue, a=SEE_THROUGH),
            )
        ],
        texts=[
            TextPrimitive(
                pose=pose(SE3(np.eye(3), above)),
                billboard=True,
                font_size=FONT,
                scale_invariant=True,
                color=Color(r=red, g=green, b=blue, a=1.0),
                text=f"{track.category} {track.id}",
            )
        ],
    )


def _told(path: Path, track: Track, annotation: Annotation) -> dict[str, str]:
    said = provenance(annotation)
    told = {"category": track.category, "source": str(said["source"])}
    told |= {"score": repr(float(annotation.score))} if annotation.score is not None else {}
    told |= {"locked": "true"} if annotation.locked else {}
    where = f"track {track.id!r} at {annotation.timestamp_ns} ns"
    return told | {ATTACHMENT: json_text(path, where, dict(annotation.attributes))}


def color_of(category: str) -> tuple[float, float, float]:
    """Red, green and blue in 0..1, the same for a class wherever it is seen."""
    digest = hashlib.md5(category.encode(errors="replace"), usedforsecurity=False).digest()
    return colorsys.hsv_to_rgb(int.from_bytes(digest[:4]) / 2**32, 0.75, 0.95)
