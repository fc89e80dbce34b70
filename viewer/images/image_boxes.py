"""2D boxes: they follow the 3D ones at the instant of each image until a person corrects them there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from autolabel.images.rectangles import AROUND_M, BONNET, ENOUGH_POINTS, SMALLEST_PX
from calib.errors import CrosslabelError
from calib.se3 import SE3
from calib.types import F64
from fusion.align import ego_at_shot_from_ego_at_frame
from fusion.boxes import Boxes
from fusion.edits import Edit, Group, PutImageBoxes, RemoveImageBoxes
from fusion.labels import ImageBox, LabelSet, Source, Track
from fusion.log import DriveLog, ImageRef
from fusion.overlap import points_in_boxes
from fusion.rectangles import Cloud, Rectangles, rectangles_in
from viewer.frames.frame import Cloud as FrameCloud
from viewer.images.outlines import Outlines
from viewer.scene.handles import Handle

LEAST_PX = 2.0

Key = tuple[str, int]


@dataclass(eq=False)
class ImageBoxes:
    """The 2D boxes that images show; what has not changed is kept.

    Attributes:
        outlines: which know the ways of the tracks.
    """

    outlines: Outlines
    _kept: dict[str, tuple[int, dict[str, tuple[Track, ImageBox | None]]]] = field(
        default_factory=dict, repr=False
    )

    def of(self, image: ImageRef, tracks: Sequence[Track]) -> dict[str, ImageBox]:
        """By track: what a person said, or else what follows from the 3D box now."""
        known_ns, kept = self._kept.get(image.camera, (-1, {}))
        if known_ns != image.timestamp_ns:
            kept = {}
            self._kept[image.camera] = (image.timestamp_ns, kept)
        changed = [track for track in tracks if track.id not in kept or kept[track.id][0] is not track]
        derived = derived_boxes(self.outlines, image, changed)
        for track in changed:
            kept[track.id] = (track, corrected(track, image) or derived.get(track.id))
        return {track.id: box for track in tracks if (box := kept[track.id][1]) is not None}


def key_of(image: ImageRef) -> Key:
    """Under which the 2D boxes of an image are stored."""
    return image.camera, image.timestamp_ns


def corrected(track: Track, image: ImageRef) -> ImageBox | None:
    """The 2D box that a person gave a track in an image."""
    stored = track.image_boxes.get(key_of(image))
    return stored if stored is not None and stored.source is Source.HUMAN else None


def derived_boxes(
    outlines: Outlines,
    image: ImageRef,
    tracks: Sequence[Track],
    cloud: FrameCloud | None = None,
    frame_ns: int = 0,
) -> dict[str, ImageBox]:
    """By track: the 2D box that follows from its 3D box at the instant of an image.

    With the points of a frame they also say how much of each object is hidden.
    """
    log = outlines.log
    try:
        answers = [(track, outlines.course(track).at([image.timestamp_ns])) for track in tracks]
        ego_from_world = log.trajectory.at(image.timestamp_ns).inverse()
        there = [(track, boxes, mps) for track, (known, boxes, mps) in answers if known[0]]
        boxes = Boxes.concatenate(boxes for _, boxes, _ in there).moved(ego_from_world)
        velocities = np.concatenate([np.empty((0, 3)), *(mps for *_, mps in there)])
        points, solid = _hiding(log, image, boxes, cloud, frame_ns)
        shown = rectangles_in(log, image, boxes, velocities @ ego_from_world.rotation.T, points, solid)
    except CrosslabelError:
        return {}
    found = ((track.id, _box(shown, row, cloud is not None)) for row, (track, *_) in enumerate(there))
    return {track_id: box for track_id, box in found if box is not None}


def edge_at(box: ImageBox, uv_px: tuple[float, float], reach_px: float) -> Handle | None:
    """The edge or corner of a 2D box that lies under a pixel; up is up in the image."""
    u, v = uv_px
    inside = box.left_px - reach_px <= u <= box.right_px + reach_px
    inside &= box.top_px - reach_px <= v <= box.bottom_px + reach_px
    across = _nearer(u, box.left_px, box.right_px, reach_px)
    up = -_nearer(v, box.top_px, box.bottom_px, reach_px)
    return Handle(across, up) if inside and (across or up) else None


def stretched(box: ImageBox, edge: Handle, uv_px: tuple[float, float], width: int, height: int) -> ImageBox:
    """A 2D box one of whose edges or corners was dragged to a pixel, by a person; it stays in its image."""
    u = float(np.clip(uv_px[0], 0, width - 1))
    v = float(np.clip(uv_px[1], 0, height - 1))
    left, top, right, bottom = box.left_px, box.top_px, box.right_px, box.bottom_px
    if edge.right < 0:
        left = min(u, right - LEAST_PX)
    elif edge.right > 0:
        right = max(u, left + LEAST_PX)
    if edge.up > 0:
        top = min(v, bottom - LEAST_PX)
    elif edge.up < 0:
        bottom = max(v, top + LEAST_PX)
    return ImageBox(left, top, right, bottom, Source.HUMAN, None, box.attributes)


def correction(track: Track, image: ImageRef, box: ImageBox) -> Edit:
    """The edit that puts a corrected 2D box into an image."""
    return Group((PutImageBoxes(track.id, {key_of(image): box}),), "Correct the 2D box")


def following(track: Track, images: Iterable[ImageRef], derived: dict[Key, ImageBox]) -> Edit | None:
    """The edit that lets the 2D boxes of a track follow its 3D box again in some images."""
    keys = [key_of(image) for image in images if corrected(track, image) is not None]
    if not keys:
        return None
    again = {key: derived[key] for key in keys if key in derived}
    gone = tuple(key for key in keys if key not in derived)
    edits: list[Edit] = [PutImageBoxes(track.id, again)] if again else []
    edits += [RemoveImageBoxes(track.id, gone)] if gone else []
    return Group(tuple(edits), "2D boxes follow the 3D box")


def made(labels: LabelSet, found: dict[Key, dict[str, ImageBox]]) -> Edit | None:
    """The edit that stores 2D boxes, found by image and track; those that a person corrected stay."""
    edits: list[Edit] = []
    for track in labels.tracks.values():
        mine = {
            key: boxes[track.id]
            for key, boxes in found.items()
            if track.id in boxes and not _is_human(track.image_boxes.get(key))
        }
        if mine:
            edits.append(PutImageBoxes(track.id, mine))
    return Group(tuple(edits), "Make 2D boxes") if edits else None


def _is_human(box: ImageBox | None) -> bool:
    return box is not None and box.source is Source.HUMAN


def _nearer(value: float, low: float, high: float, reach_px: float) -> int:
    """-1 near the lower end, 1 near the upper one, 0 near neither."""
    to_low, to_high = abs(value - low), abs(value - high)
    if min(to_low, to_high) > reach_px:
        return 0
    return -1 if to_low <= to_high else 1


def _hiding(
    log: DriveLog, image: ImageRef, boxes: Boxes, cloud: FrameCloud | None, frame_ns: int
) -> tuple[Cloud, F64]:
    """The points that hide things from a camera, and up to where the boxes themselves do."""
    if cloud is None:
        none = Cloud(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), SE3.identity())
        return none, np.ones(len(boxes))
    ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)
    ego_from_ego_at_shot = ego_at_shot_from_ego.inverse()
    there = boxes.moved(ego_from_ego_at_shot)
    owners = np.full(len(cloud.points), -1, np.int32)
    inside = points_in_boxes(cloud.points, Boxes(there.dst_from_box, there.sizes_lwh_m + AROUND_M))
    for row, mine in enumerate(inside):
        owners[mine] = row
    counts = np.array([len(mine) for mine in inside], dtype=np.int64)
    return Cloud(cloud.points, owners, ego_at_shot_from_ego), np.where(counts >= ENOUGH_POINTS, BONNET, 1.0)


def _box(shown: Rectangles, row: int, told: bool) -> ImageBox | None:
    left, top, right, bottom = shown.ltrb_px[row].tolist()
    large = right - left >= SMALLEST_PX and bottom - top >= SMALLEST_PX
    if not large or (told and shown.visibility[row] == 0):
        return None
    said = {"truncation": round(float(shown.truncation[row]), 3)}
    if told:
        said["visibility"] = round(float(shown.visibility[row]), 3)
    return ImageBox(left, top, right, bottom, Source.AUTO, None, said)
