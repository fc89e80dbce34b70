"""3D boxes to rectangles in the images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from autolabel.scans import Scans
from calib.se3 import SE3
from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.course import Course
from fusion.edits import Edit, PutImageBoxes
from fusion.fan import owners_of_points
from fusion.labels import ImageBox, Json, LabelSet, Source
from fusion.log import DriveLog, ImageRef
from fusion.progress import Progress
from fusion.rectangles import Cloud, Rectangles, Shown, rectangles_in, shown_at

SMALLEST_PX = 2.0
AROUND_M = 0.3
ENOUGH_POINTS, BONNET = 60, 0.6


def image_boxes(
    log: DriveLog, labels: LabelSet, scans: Scans, progress: Progress | None = None
) -> tuple[Edit, ...]:
    """Edits that give every track its rectangle in every image that shows any of it.

    A rectangle says in its attributes how much of what lies in the image nothing hides (`visibility`), and
    how much of the object lies outside of the image (`truncation`), both from 0 to 1. Rectangles that a
    person drew stay.
    """
    courses = {track.id: Course.of(log, track) for track in labels.tracks.values()}
    images = [ref for refs in log.images.values() for ref in refs if log.trajectory.covers(ref.timestamp_ns)]
    images.sort(key=lambda image: image.timestamp_ns)
    clouds = _Clouds(labels, scans)
    found: defaultdict[str, dict[tuple[str, int], ImageBox]] = defaultdict(dict)
    for number, shown in enumerate(shown_at(log, courses, images)):
        if progress:
            progress("rectangles", number, len(images))
        key = (shown.image.camera, shown.image.timestamp_ns)
        for track_id, box in _in_image(log, shown, clouds):
            there = labels.tracks[track_id].image_boxes.get(key)
            if there is None or there.source is not Source.HUMAN:
                found[track_id][key] = box
    if progress:
        progress("rectangles", len(images), len(images))
    return tuple(PutImageBoxes(track_id, boxes) for track_id, boxes in found.items())


def _in_image(log: DriveLog, shown: Shown, clouds: _Clouds) -> Iterator[tuple[str, ImageBox]]:
    cloud, solid = clouds.near(shown.image, shown.track_ids, shown.world_from_ego.inverse())
    rectangles = rectangles_in(log, shown.image, shown.boxes, shown.velocities_mps, cloud, solid)
    rows = _worth_showing(rectangles)
    ltrb_px = rectangles.ltrb_px[rows].tolist()
    visibility, truncation = rectangles.visibility[rows].tolist(), rectangles.truncation[rows].tolist()
    for row, sides_px, seen, cut in zip(rows.tolist(), ltrb_px, visibility, truncation, strict=True):
        left, top, right, bottom = sides_px
        attributes: dict[str, Json] = {"visibility": round(seen, 3), "truncation": round(cut, 3)}
        yield shown.track_ids[row], ImageBox(left, top, right, bottom, Source.AUTO, None, attributes)


def _worth_showing(rectangles: Rectangles) -> I64:
    """Which rectangles are large enough, and not hidden as a whole."""
    left, top, right, bottom = rectangles.ltrb_px.T
    large = (right - left >= SMALLEST_PX) & (bottom - top >= SMALLEST_PX)
    return np.flatnonzero(large & (rectangles.visibility > 0))


class _Clouds:
    """The scans around images that come one after the other, and whose points are whose."""

    def __init__(self, labels: LabelSet, scans: Scans) -> None:
        self.labels, self.scans = labels, scans
        self.world_from_local = scans.world.local_from_world.inverse()
        self._clear(-1)

    def near(self, image: ImageRef, track_ids: list[str], ego_from_world: SE3) -> tuple[Cloud, F64]:
        """The scan nearest in time to an image, and up to where each track is solid."""
        if len(self.scans) > 0:
            frame = int(np.argmin(np.abs(self.scans.frames_ns - image.timestamp_ns)))
            if frame != self.frame:
                self._turn_to(frame)
        nobody = len(self.numbers)
        numbers = np.array([self.numbers.get(track_id, nobody) for track_id in track_ids], dtype=np.int32)
        solid = np.where(self.counts[numbers] >= ENOUGH_POINTS, BONNET, 1.0)
        return Cloud(self.points, self.owners, ego_from_world @ self.world_from_local, numbers), solid

    def _clear(self, frame: int) -> None:
        self.frame, self.points, self.owners = frame, np.empty((0, 3), np.float32), np.empty(0, np.int32)
        self.numbers: dict[str, int] = {}
        self.counts = np.zeros(1, np.int64)

    def _turn_to(self, frame: int) -> None:
        self._clear(frame)
        scan = self.scans.at(frame)
        if scan is None:
            return
        there = list(self.labels.at(int(self.scans.frames_ns[frame])))
        boxes = Boxes.stack(annotation.box for _, annotation in there).moved(scan.local_from_ego)
        around = Boxes(boxes.dst_from_box, boxes.sizes_lwh_m + AROUND_M)
        self.owners, counts = owners_of_points(scan.points, scan.starts, scan.origin, around)
        self.points = np.asfortranarray(scan.points)
        self.numbers = {track.id: number for number, (track, _) in enumerate(there)}
        # Who is not labelled in this frame has a number that no point has.
        self.counts = np.append(counts, 0)
