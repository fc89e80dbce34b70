"""Labels to instances and annotations."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calib.types import F32
from formats.errors import FormatError
from formats.extras import labels_extra, track_extra
from formats.nuscenes.categories import VISIBILITIES
from formats.nuscenes.plan import Plan
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import EXTRA, token_of
from formats.nuscenes.visibility import visibility_tokens
from formats.nuscenes.vocabulary import Vocabulary
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.overlap import FACE_SLACK_M, count_points_in_boxes
from fusion.sweep import Sweep


class LabelWriter:
    """Writes the instances of a log, then the annotations of one key frame after another.

    Objects and boxes have the tokens that are given, by track and by track and frame, or else new ones.
    """

    def __init__(
        self,
        tables: TableWriter,
        log: DriveLog,
        labels: LabelSet,
        plan: Plan,
        vocabulary: Vocabulary,
        tokens: Mapping[tuple[str | int, ...], str] | None = None,
    ) -> None:
        self.tables, self.log, self.plan, self.vocabulary = tables, log, plan, vocabulary
        self.keys = {int(t): sample for sample, t in enumerate(plan.samples_ns)}
        self.labels, self.tracks = labels, labels.tracks
        self.tokens = tokens or {}
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
                    category_token=self.vocabulary.category(track),
                    nbr_annotations=len(chain),
                    first_annotation_token=self._annotation(track, chain[0]),
                    last_annotation_token=self._annotation(track, chain[-1]),
                    **{EXTRA: track_extra(track)},
                )

    def scene_extra(self) -> dict[str, Any]:
        """What nuScenes has no row for: objects without a box at a key frame, reviews, attributes of all."""
        boxless = [track_extra(track) for track in self.tracks.values() if not self.chains[track.id]]
        said = labels_extra(self.labels)
        return {
            "label_attributes": said["attributes"],
            "reviews": said["reviews"],
            "boxless_tracks": boxless,
        }

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
                visibility_token=self._visibility(annotation, seen[index]),
                num_lidar_pts=counts[index],
            )

    def _write(self, track: Track, annotation: Annotation, **measured: Any) -> None:
        chain, now_ns = self.chains[track.id], annotation.timestamp_ns
        place = bisect_left(chain, now_ns)
        length_m, width_m, height_m = annotation.box.size_lwh_m.tolist()
        radar = annotation.attributes.get("num_radar_pts", 0)
        self.tables.add(
            "sample_annotation",
            self._annotation(track, now_ns),
            sample_token=self.plan.sample_tokens[self.keys[now_ns]],
            instance_token=self._instance(track),
            attribute_tokens=self.vocabulary.attributes(track, annotation),
            size=[width_m, length_m, height_m],
            num_radar_pts=radar if type(radar) is int else 0,
            prev=self._annotation(track, chain[place - 1]) if place > 0 else "",
            next=self._annotation(track, chain[place + 1]) if place + 1 < len(chain) else "",
            **measured,
            **{EXTRA: annotation_extra(annotation)},
        )

    def _instance(self, track: Track) -> str:
        return self.tokens.get((track.id,)) or instance_token(self.log.name, track.id)

    def _annotation(self, track: Track, timestamp_ns: int) -> str:
        kept = self.tokens.get((track.id, timestamp_ns))
        return kept or annotation_token(self.log.name, track.id, timestamp_ns)

    def _visibility(self, annotation: Annotation, computed: str) -> str:
        """What the data set that the annotation comes from says, where it says so in nuScenes' words."""
        given = annotation.attributes.get("visibility")
        if given not in VISIBILITIES and not computed:
            return ""
        level = str(given) if given in VISIBILITIES else VISIBILITIES[int(computed) - 1]
        return self.vocabulary.token("visibility", level)


def instance_token(log_name: str, track_id: str) -> str:
    """The token of an object."""
    return token_of(log_name, "instance", track_id)


def annotation_token(log_name: str, track_id: str, timestamp_ns: int) -> str:
    """The token of an object's box in a frame."""
    return token_of(log_name, "annotation", track_id, timestamp_ns)


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
