"""What the cameras say of boxes: a 2D box selects and names the thing that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.detect.detector import Detector
from autolabel.detect.priors import PRIORS
from autolabel.detect.yolox import ImageDetector, ImageFindings, overlaps
from autolabel.detections import Detections
from autolabel.scans import Scans
from calib.types import F64, I64, Bools
from fusion.align import cam_at_shot_from_ego
from fusion.beam import image_of_frame
from fusion.boxes import Boxes
from fusion.categories import kind_of
from fusion.log import DriveLog, ImageRef

LEAST_IOU = 0.35
SEEN_PX, SEEN_SHARE, HIDDEN = 36.0, 0.9, 0.5
FOR, AGAINST = 2.5, 1.5
NEAREST_M = 0.5


@dataclass(eq=False, slots=True)
class CameraDetector:
    """Another detector's boxes, judged by the cameras.

    A box that a 2D box shows gets likelier, and its name where that is another kind; one that a camera
    should show, because it is large enough and nothing stands before it, and does not, gets unlikelier.

    Attributes:
        detector: finds the boxes.
        images: finds 2D boxes.
        cameras: those that are asked; all of the rig unless given.
    """

    detector: Detector
    images: ImageDetector
    cameras: tuple[str, ...] | None = None
    _findings: dict[tuple[str, int], ImageFindings] = field(init=False, repr=False, default_factory=dict)

    @property
    def calibrated(self) -> bool:
        """As the other detector is."""
        return self.detector.calibrated

    def detect(self, scans: Scans, frame: int) -> Detections:
        """The other detector's boxes with other scores and names, the surest first."""
        found = self.detector.detect(scans, frame)
        if len(found) == 0:
            return found
        log, frame_ns = scans.world.log, int(scans.frames_ns[frame])
        boxes = found.boxes.moved(scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0].inverse())
        said, names = np.zeros(len(found)), list(found.categories)
        for camera in log.rig.cameras if self.cameras is None else self.cameras:
            image = image_of_frame(log, camera, frame_ns)
            if image is not None and log.trajectory.covers(image.timestamp_ns):
                more, matches = evidence(log, image, frame_ns, boxes, found.categories, self._find(image))
                said = np.where(np.abs(more) > np.abs(said), more, said)
                for row, name in matches.items():
                    names[row] = name
        odds = np.log(found.scores) - np.log1p(-np.minimum(found.scores, 1 - 1e-9)) + said
        scores = 1 / (1 + np.exp(-odds))
        order = np.argsort(-scores, kind="stable")
        renamed = Detections(found.times_ns, found.boxes, scores, tuple(names))
        return renamed.take(order.astype(np.int64))

    def _find(self, image: ImageRef) -> ImageFindings:
        key = (image.camera, image.timestamp_ns)
        if key not in self._findings:
            self._findings[key] = self.images.find(image.read())
        return self._findings[key]


def evidence(
    log: DriveLog,
    image: ImageRef,
    frame_ns: int,
    boxes: Boxes,
    categories: tuple[str, ...],
    seen: ImageFindings,
) -> tuple[F64, dict[int, str]]:
    """What one image adds to the log odds of (N) boxes in ego, and the names it gives to some.

    Each 2D box goes to at most one box, the likeliest pairs first; of boxes one behind the other, only
    those that are not hidden take part.
    """
    rectangles, depths_m, share = projected(log, image, frame_ns, boxes)
    shown = (share > 0) & ~hidden(rectangles, depths_m)
    said, names = np.zeros(len(boxes)), {}
    gains = overlaps(rectangles, seen.boxes_px) * np.sqrt(seen.scores)[None]
    gains[~shown] = 0.0
    for row, column in _best_first(gains):
        said[row] = FOR * seen.scores[column] ** 0.5
        if kind_of(seen.categories[column]) is not kind_of(categories[row]) and _may_be(
            categories[row], seen.categories[column], boxes.sizes_lwh_m[row]
        ):
            names[int(row)] = seen.categories[column]
    tall = rectangles[:, 3] - rectangles[:, 1] >= SEEN_PX * image_scale(log, image)
    touched = (overlaps(rectangles, seen.boxes_px) > LEAST_IOU / 2).any(axis=1)
    said[shown & tall & (share >= SEEN_SHARE) & (said == 0) & ~touched] = -AGAINST
    return said, names


def image_scale(log: DriveLog, image: ImageRef) -> float:
    """Networks see images at some hundred pixels across: what is small in a large image is lost."""
    model = log.rig.cameras[image.camera].model
    return max(model.width_px, model.height_px) / 960.0


def projected(log: DriveLog, image: ImageRef, frame_ns: int, boxes: Boxes) -> tuple[F64, F64, F64]:
    """(N, 4) rectangles of boxes in an image, (N,) depths, and (N,) which share of each is on the image."""
    camera = log.rig.cameras[image.camera]
    cam_from_ego = cam_at_shot_from_ego(log, image, frame_ns)
    corners = cam_from_ego @ boxes.corners().reshape(-1, 3)
    uv = camera.model.project(corners).uv_px.reshape(-1, 8, 2)
    ahead = (corners[:, 2].reshape(-1, 8) > NEAREST_M).all(axis=1) & np.isfinite(uv).all(axis=(1, 2))
    uv[~ahead] = 0.0
    whole = np.hstack([uv.min(axis=1), uv.max(axis=1)])
    width, height = camera.model.width_px, camera.model.height_px
    clipped = np.clip(whole, 0.0, np.array([width, height, width, height]) - 1.0)
    area = [np.prod(r[:, 2:] - r[:, :2], axis=1) for r in (clipped, whole)]
    share = np.where(ahead, area[0] / np.maximum(area[1], 1e-9), 0.0)
    depths_m = (cam_from_ego @ boxes.dst_from_box.translations)[:, 2]
    return clipped, depths_m, share


def hidden(rectangles: F64, depths_m: F64) -> Bools:
    """(N,) which rectangles are mostly covered by one that is nearer."""
    low = np.maximum(rectangles[:, None, :2], rectangles[None, :, :2])
    high = np.minimum(rectangles[:, None, 2:], rectangles[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.maximum(np.prod(rectangles[:, 2:] - rectangles[:, :2], axis=1), 1e-9)
    nearer = depths_m[None, :] + 1.0 < depths_m[:, None]
    return np.asarray(((shared / area[:, None] > HIDDEN) & nearer & (depths_m[None] > 0)).any(axis=1))


def _best_first(gains: F64) -> list[tuple[int, int]]:
    """Pairs of rows and columns, the best first, each row and column once."""
    pairs: list[tuple[int, int]] = []
    rows, columns = np.nonzero(gains >= LEAST_IOU / 2)
    order: I64 = np.argsort(-gains[rows, columns], kind="stable")
    taken_rows, taken_columns = set[int](), set[int]()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            pairs.append((row, column))
    return pairs


def _may_be(category: str, other: str, size: F64) -> bool:
    """Whether a thing of this size may have the other name: images tell lorries from buses badly."""
    small, other_small = size[0] < 2.5, other in ("pedestrian", "cyclist", "motorcycle")
    fits = all(p.shortest_m <= size[0] <= p.longest_m for p in PRIORS if p.category == other)
    return bool(small == other_small and category != other and fits)
