"""The image that shows an object best: large, whole, and with nothing labelled before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.similar.gather import frames_of
from calib.types import F64, U8, Bools
from fusion.align import cam_at_shot_from_ego
from fusion.beam import image_of_frame
from fusion.boxes import Boxes
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.progress import Progress

SIDE_PX = 64
MARGIN = 0.06
NEAREST_M, LEAST_SIDE_PX = 0.3, 6.0
LARGE_PX, LEAST_SHOWN = 128.0, 0.35


@dataclass(frozen=True, eq=False, slots=True)
class ObjectView:
    """An object cut out of an image.

    Attributes:
        rgb: (SIDE_PX, SIDE_PX, 3) uint8, whatever shape it had.
        side_px: the shorter side that it had.
    """

    rgb: U8
    side_px: float


@dataclass(frozen=True, eq=False, slots=True)
class Rectangles:
    """Where the boxes of one frame lie in one image.

    Attributes:
        edges_px: (N, 4) left, top, right, bottom, within the image.
        shown: (N,) share of each that is within the image and behind no other one; 0 if it is not seen.
    """

    edges_px: F64
    shown: F64

    @classmethod
    def of(cls, log: DriveLog, image: ImageRef, frame_ns: int, boxes: Boxes) -> Rectangles:
        """Of boxes in ego at a frame; the motion of objects up to the shot is small beside their size."""
        camera = log.rig.cameras[image.camera]
        cam_from_ego = cam_at_shot_from_ego(log, image, frame_ns)
        corners_cam = cam_from_ego @ boxes.corners().reshape(-1, 3)
        seen = camera.model.project(corners_cam)
        uv_px, depth_m = seen.uv_px.reshape(-1, 8, 2), seen.depth_m.reshape(-1, 8)
        ahead = np.asarray((depth_m > NEAREST_M).all(axis=1) & np.isfinite(uv_px).all(axis=(1, 2)))
        uv_px = np.where(ahead[:, None, None], uv_px, 0.0)
        low, high = uv_px.min(axis=1), uv_px.max(axis=1)
        limits_px = np.array([camera.model.width_px, camera.model.height_px], np.float64) - 1
        edges_px = np.hstack([np.clip(low, 0, limits_px), np.clip(high, 0, limits_px)])
        whole = np.maximum(np.prod(high - low, axis=1), 1e-9)
        inside = np.prod(edges_px[:, 2:] - edges_px[:, :2], axis=1)
        shown = np.where(ahead, inside / whole, 0.0) * (1 - _hidden(edges_px, depth_m.mean(axis=1), ahead))
        return cls(edges_px, shown)

    @property
    def sides_px(self) -> F64:
        """(N,) the shorter side of each."""
        return np.asarray((self.edges_px[:, 2:] - self.edges_px[:, :2]).min(axis=1))


def _hidden(edges_px: F64, depth_m: F64, ahead: Bools) -> F64:
    """(N,) the largest share of each rectangle that one nearer rectangle covers."""
    low = np.maximum(edges_px[:, None, :2], edges_px[None, :, :2])
    high = np.minimum(edges_px[:, None, 2:], edges_px[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.maximum(np.prod(edges_px[:, 2:] - edges_px[:, :2], axis=1), 1e-9)
    before = (depth_m[None, :] < depth_m[:, None] - 0.2) & ahead[None, :] & ahead[:, None]
    covered = np.where(before, shared / areas[:, None], 0.0)
    return np.asarray(np.minimum(covered.max(axis=1, initial=0.0), 1.0))


def views_of(
    log: DriveLog,
    labels: LabelSet,
    tracks: Sequence[Track],
    counts: Sequence[Mapping[int, int]],
    progress: Progress | None = None,
) -> list[ObjectView | None]:
    """The best view of each track, None where no image shows it; every image is read once and let go of.

    Args:
        log: with images.
        labels: of the log, whatever may stand before the tracks.
        tracks: those to find.
        counts: for each track its points by frame, where they are known.
        progress: told after each image.
    """
    best = _best(log, labels, tracks, counts)
    by_image: dict[tuple[str, int], list[int]] = {}
    for number, seen in best.items():
        by_image.setdefault((seen.image.camera, seen.image.timestamp_ns), []).append(number)
    views: list[ObjectView | None] = [None] * len(tracks)
    for done, key in enumerate(sorted(by_image, key=lambda key: (key[1], key[0])), start=1):
        rgb = best[by_image[key][0]].image.read()
        for number in by_image[key]:
            views[number] = _cut(rgb, best[number].edges_px)
        if progress is not None:
            progress("images", done, len(by_image))
    return views


def best_frame(log: DriveLog, labels: LabelSet, track: Track) -> int | None:
    """The frame whose image shows a track best, of those that are measured; None where no image does."""
    found = _best(log, labels, [track], [{}])
    return found[0].frame_ns if found else None


@dataclass(frozen=True, eq=False, slots=True)
class _Seen:
    """How well an image shows an object, which image, where in it, and of which frame."""

    worth: float
    image: ImageRef
    edges_px: F64
    frame_ns: int


def _best(
    log: DriveLog, labels: LabelSet, tracks: Sequence[Track], counts: Sequence[Mapping[int, int]]
) -> dict[int, _Seen]:
    """The best image of each track that is seen, by number of the track."""
    wanted: dict[int, list[int]] = {}
    for number, track in enumerate(tracks):
        for timestamp_ns in frames_of(log, track) or _spread(log, track):
            wanted.setdefault(timestamp_ns, []).append(number)
    best: dict[int, _Seen] = {}
    for timestamp_ns in sorted(wanted):
        present = [*labels.at(timestamp_ns)]
        row_of = {track.id: row for row, (track, _) in enumerate(present)}
        boxes = Boxes.stack(annotation.box for _, annotation in present)
        for name in log.images:
            image = image_of_frame(log, name, timestamp_ns)
            if image is None or not log.trajectory.covers(image.timestamp_ns):
                continue
            found = Rectangles.of(log, image, timestamp_ns, boxes)
            sides_px = found.sides_px
            for number in wanted[timestamp_ns]:
                row = row_of[tracks[number].id]
                if found.shown[row] < LEAST_SHOWN or sides_px[row] < LEAST_SIDE_PX:
                    continue
                points = counts[number].get(timestamp_ns, 0)
                worth = found.shown[row] ** 2 * min(sides_px[row], LARGE_PX) * (1.0 if points else 0.25)
                if number not in best or worth > best[number].worth:
                    best[number] = _Seen(worth, image, found.edges_px[row], timestamp_ns)
    return best


def _spread(log: DriveLog, track: Track) -> list[int]:
    """The first, middle and last frame of a track that has no sweep."""
    there = [t for t in track.annotations if log.trajectory.covers(t)]
    return sorted({there[0], there[len(there) // 2], there[-1]}) if there else []


def _cut(rgb: U8, edges_px: F64) -> ObjectView:
    import cv2

    around = MARGIN * (edges_px[2:] - edges_px[:2])
    height, width = rgb.shape[:2]
    left, top = np.clip(np.floor(edges_px[:2] - around), 0, [width - 2, height - 2]).astype(int)
    right, bottom = np.clip(np.ceil(edges_px[2:] + around) + 1, [left + 2, top + 2], [width, height]).astype(
        int
    )
    cut = rgb[top:bottom, left:right]
    shrinks = min(cut.shape[:2]) > SIDE_PX
    scaled = cv2.resize(
        cut, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return ObjectView(np.asarray(scaled, dtype=np.uint8), float(min(cut.shape[:2])))
