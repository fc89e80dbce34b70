"""Labels to the rows of T4."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from calib.types import F64
from formats.errors import FormatError
from formats.nuscenes.categories import ATTRIBUTES, CATEGORIES, nuscenes_attribute, nuscenes_category
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import token_of
from formats.nuscenes.visibility import visibility_tokens
from fusion.boxes import Boxes
from fusion.course import Course
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog, ImageRef
from fusion.overlap import count_points_in_boxes

LEVELS = {
    "4": ("full", "the object is fully visible"),
    "3": ("most", "more than half of the object is visible"),
    "2": ("partial", "less than half of the object is visible"),
    "1": ("none", "the object is not visible"),
    "0": ("unavailable", "there is no image to judge by"),
}
MODEL = "crosslabel"


class LabelRows:
    """Writes the instances of a scene, then the annotations of one frame after another."""

    def __init__(
        self, tables: TableWriter, log: DriveLog, labels: LabelSet, frames_ns: Sequence[int]
    ) -> None:
        self.tables, self.log = tables, log
        self.tracks = labels.tracks
        known = set(frames_ns)
        self._velocities_mps: dict[str, dict[int, F64]] = {}
        for track in self.tracks.values():
            stray = next((t for t in track.annotations if t not in known), None)
            if stray is not None:
                where = f"log {log.name!r}, track {track.id!r}"
                message = f"is labelled at {stray} ns, which is no frame of the log within its trajectory"
                raise FormatError(tables.folder, where, message)
            times_ns = [*track.annotations]
            if len(times_ns) > 1:
                known_there, _, velocities = Course.of(log, track).at(times_ns)
                told = zip(times_ns, velocities, known_there, strict=True)
                self._velocities_mps[track.id] = {t: v for t, v, there in told if there}

    def write_vocabulary(self) -> None:
        """The rows of category, attribute and visibility."""
        for name in CATEGORIES:
            self.tables.add("category", token_of("category", name), name=name, description="", index=None)
        for name in ATTRIBUTES:
            self.tables.add("attribute", token_of("attribute", name), name=name, description="")
        for number, (level, meaning) in LEVELS.items():
            self.tables.add("visibility", token_of("visibility", number), level=level, description=meaning)

    def write_instances(self) -> None:
        """One row an object that has a box."""
        for track in self.tracks.values():
            times_ns = [*track.annotations]
            if times_ns:
                self.tables.add(
                    "instance",
                    self._instance(track),
                    category_token=token_of("category", nuscenes_category(track.category)),
                    instance_name=f"{self.log.name}::{track.id}",
                    nbr_annotations=len(times_ns),
                    first_annotation_token=self._annotation(track, times_ns[0]),
                    last_annotation_token=self._annotation(track, times_ns[-1]),
                )

    def write_frame(
        self, frame_ns: int, sample_token: str, points_ego: F64, images: Sequence[ImageRef]
    ) -> None:
        """The annotations of a frame."""
        pairs = [(track, track.annotations.get(frame_ns)) for track in self.tracks.values()]
        here = [(track, annotation) for track, annotation in pairs if annotation is not None]
        if not here:
            return
        boxes = Boxes.stack(annotation.box for _, annotation in here)
        world_from_ego = self.log.trajectory.at(frame_ns)
        ego_from_box = boxes.dst_from_box
        world_from_box = world_from_ego @ ego_from_box
        counts = count_points_in_boxes(points_ego, boxes)
        seen = visibility_tokens(self.log, frame_ns, boxes, images, points_ego.astype(np.float32))
        places, turns = world_from_box.translations.tolist(), world_from_box.quaternions_wxyz.tolist()
        for k, (track, annotation) in enumerate(here):
            self._write(
                track,
                annotation,
                sample_token=sample_token,
                translation=places[k],
                rotation=turns[k],
                visibility_token=token_of("visibility", seen[k] or "0"),
                num_lidar_pts=int(counts[k]),
            )

    def _write(self, track: Track, annotation: Annotation, **measured: Any) -> None:
        times_ns, now_ns = [*track.annotations], annotation.timestamp_ns
        place = bisect_left(times_ns, now_ns)
        attribute = nuscenes_attribute(track.category, {**track.attributes, **annotation.attributes})
        length_m, width_m, height_m = annotation.box.size_lwh_m.tolist()
        velocity_mps = self._velocities_mps.get(track.id, {}).get(now_ns)
        automatic = annotation.source in (Source.AUTO, Source.INTERPOLATED) and not annotation.locked
        self.tables.add(
            "sample_annotation",
            self._annotation(track, now_ns),
            instance_token=self._instance(track),
            attribute_tokens=[token_of("attribute", attribute)] if attribute else [],
            size=[width_m, length_m, height_m],
            velocity=None if velocity_mps is None else velocity_mps.tolist(),
            acceleration=None,
            num_radar_pts=0,
            prev=self._annotation(track, times_ns[place - 1]) if place > 0 else "",
            next=self._annotation(track, times_ns[place + 1]) if place + 1 < len(times_ns) else "",
            automatic_annotation=automatic,
            autolabel_metadata=[autolabel_model(track, annotation)] if automatic else None,
            **measured,
        )

    def _instance(self, track: Track) -> str:
        return token_of(self.log.name, "instance", track.id)

    def _annotation(self, track: Track, timestamp_ns: int) -> str:
        return token_of(self.log.name, "annotation", track.id, timestamp_ns)


def autolabel_model(track: Track, annotation: Annotation) -> dict[str, Any]:
    """What T4 says of the model behind a box."""
    named = annotation.attributes.get("model", track.attributes.get("model"))
    score = annotation.score if annotation.score is not None else 0.0
    return {"name": named if isinstance(named, str) else MODEL, "score": float(score), "uncertainty": None}
