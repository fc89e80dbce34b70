"""Labels to instances and annotations."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from calib.types import F32
from formats.errors import FormatError
from formats.nuscenes.categories import (
    ATTRIBUTES,
    CATEGORIES,
    VISIBILITIES,
    nuscenes_attribute,
    nuscenes_category,
)
from formats.nuscenes.plan import Plan
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import EXTRA, token_of
from formats.nuscenes.visibility import visibility_tokens
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.overlap import FACE_SLACK_M, count_points_in_boxes
from fusion.sweep import Sweep


class LabelWriter:
    """Writes the instances of a log, then the annotations of one key frame after another."""

    def __init__(self, tables: TableWriter, log: DriveLog, labels: LabelSet, plan: Plan) -> None:
        self.tables, self.log, self.plan = tables, log, plan
        self.keys = {int(t): sample for sample, t in enumerate(plan.samples_ns)}
        self.tracks = labels.tracks
        self.chains = {
            track.id: [t for t in track.annotations if t in self.keys] for track in labels.tracks.values()
        }

    def check(self) -> None:
        """Refuses labels that have no frame to stand on.

        Raises:
            FormatError: an annotation at an instant that is no frame within the trajectory.
        """
        frames_ns = {int(t) for t in self.log.timestamps_ns if self.log.trajectory.covers(int(t))}
        for track in self.tracks.values():
            stray = next((t for t in track.annotations if t not in frames_ns), None)
            if stray is not None:
                where = f"log {self.log.name!r}, track {track.id!r}"
                message = f"is labelled at {stray} ns, which is no frame of the log within its trajectory"
                raise FormatError(self.tables.folder, where, message)

    def write_instances(self) -> None:
        """One row an object that has a box at a key frame."""
        for track in self.tracks.values():
            chain = self.chains[track.id]
            if chain:
                self.tables.add(
                    "instance",
                    self._instance(track),
                    category_token=token_of("category", nuscenes_category(track.category)),
                    nbr_annotations=len(chain),
                    first_annotation_token=self._annotation(track, chain[0]),
                    last_annotation_token=self._annotation(track, chain[-1]),
                    **{EXTRA: track_extra(track)},
                )

    def boxless_tracks(self) -> list[dict[str, Any]]:
        """Objects without a box at a key frame, which nuScenes has no row for."""
        return [track_extra(track) for track in self.tracks.values() if not self.chains[track.id]]

    def write_frame(self, sample: int, sweep: Sweep | None, images: Sequence[ImageRef]) -> None:
        """The annotations of one key frame, with the points of its sweep as they were written."""
        frame_ns = int(self.plan.samples_ns[sample])
        pairs = [(track, track.annotations.get(frame_ns)) for track in self.tracks.values()]
        here = [(track, annotation) for track, annotation in pairs if annotation is not None]
        if not here:
            return
        boxes = Boxes.stack(annotation.box for _, annotation in here)
        world_from_ego = self.log.trajectory.at(frame_ns)
        ego_from_box = boxes.dst_from_box
        world_from_box = world_from_ego @ ego_from_box
        counts = _count(self.log, boxes, sweep)
        seen = visibility_tokens(self.log, frame_ns, boxes, images, _in_ego(self.log, sweep))
        places, quaternions = world_from_box.translations.tolist(), world_from_box.quaternions_wxyz.tolist()
        for index, (track, annotation) in enumerate(here):
            self._write(
                track,
                annotation,
                translation=places[index],
                rotation=quaternions[index],
                visibility_token=_visibility(annotation, seen[index]),
                num_lidar_pts=counts[index],
            )

    def _write(self, track: Track, annotation: Annotation, **measured: Any) -> None:
        chain, now_ns = self.chains[track.id], annotation.timestamp_ns
        place = bisect_left(chain, now_ns)
        attribute = nuscenes_attribute(track.category, {**track.attributes, **annotation.attributes})
        length_m, width_m, height_m = annotation.box.size_lwh_m.tolist()
        radar = annotation.attributes.get("num_radar_pts", 0)
        self.tables.add(
            "sample_annotation",
            self._annotation(track, now_ns),
            sample_token=self.plan.sample_tokens[self.keys[now_ns]],
            instance_token=self._instance(track),
            attribute_tokens=[token_of("attribute", attribute)] if attribute else [],
            size=[width_m, length_m, height_m],
            num_radar_pts=radar if type(radar) is int else 0,
            prev=self._annotation(track, chain[place - 1]) if place > 0 else "",
            next=self._annotation(track, chain[place + 1]) if place + 1 < len(chain) else "",
            **measured,
            **{EXTRA: annotation_extra(annotation)},
        )

    def _instance(self, track: Track) -> str:
        return token_of(self.log.name, "instance", track.id)

    def _annotation(self, track: Track, timestamp_ns: int) -> str:
        return token_of(self.log.name, "annotation", track.id, timestamp_ns)


def write_vocabulary(tables: TableWriter) -> None:
    """The rows of category, attribute and visibility, which are the same in every data set."""
    for name in CATEGORIES:
        tables.add("category", token_of("category", name), name=name, description="")
    for name in ATTRIBUTES:
        tables.add("attribute", token_of("attribute", name), name=name, description="")
    for number, level in enumerate(VISIBILITIES, start=1):
        low, high = level[1:].split("-")
        meaning = f"estimated share of the object in all images is {low} to {high} %"
        tables.add("visibility", str(number), level=level, description=meaning)


def track_extra(track: Track) -> dict[str, Any]:
    """What nuScenes has no place for in an instance."""
    image_boxes = [
        {
            "camera": camera,
            "timestamp_ns": timestamp_ns,
            "ltrb_px": [box.left_px, box.top_px, box.right_px, box.bottom_px],
            "source": str(box.source),
            "score": box.score,
            "attributes": dict(box.attributes),
        }
        for (camera, timestamp_ns), box in track.image_boxes.items()
    ]
    extra = {"id": track.id, "category": track.category}
    return extra | _present(attributes=dict(track.attributes), image_boxes=image_boxes)


def annotation_extra(annotation: Annotation) -> dict[str, Any]:
    """What nuScenes has no place for in an annotation; its source stands there always."""
    return {"source": str(annotation.source)} | _present(
        score=annotation.score, locked=annotation.locked or None, attributes=dict(annotation.attributes)
    )


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, {}, [])}


def _count(log: DriveLog, boxes: Boxes, sweep: Sweep | None) -> list[int]:
    """Counted as the devkit does: the file's float32 points in the sensor's frame, without slack."""
    if sweep is None:
        return [0] * len(boxes)
    lidar_from_ego = log.rig.lidars[sweep.lidar].ego_from_sensor.inverse()
    tight = Boxes(boxes.dst_from_box, np.maximum(boxes.sizes_lwh_m - 2 * FACE_SLACK_M, 0))
    return [int(n) for n in count_points_in_boxes(sweep.points, tight.moved(lidar_from_ego))]


def _in_ego(log: DriveLog, sweep: Sweep | None) -> F32:
    if sweep is None:
        return np.empty((0, 3), dtype=np.float32)
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    return ego_from_lidar.cloud(sweep.points)


def _visibility(annotation: Annotation, computed: str) -> str:
    """What the data set that the annotation comes from says, where it says so in nuScenes' words."""
    given = annotation.attributes.get("visibility")
    return str(VISIBILITIES.index(given) + 1) if given in VISIBILITIES else computed
