"""Cut-outs around one object: points of single frames, and what the camera that sees it best shows of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from calib.types import F32, F64, U8, Bools
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Box3D
from fusion.course import Course
from fusion.ground import Ground
from fusion.labels import Annotation, Track
from fusion.log import DriveLog
from viewer.images.outlines import Outlines
from viewer.images.sights import Rectangle, best, sight
from viewer.same import same

MOST_BYTES, MOST_POINTS = 128 << 20, 6000
ROOM_M, SLACK_M = 3.0, 1.5
ON_GROUND_M = 0.12
MARGIN, LARGEST_PX = 0.25, 320


@dataclass(frozen=True, eq=False, slots=True)
class Crop:
    """The points around one box.

    Attributes:
        points: (N, 3) float32 in the ego frame of their instant.
        on_ground: (N,) whether each lies on the ground.
    """

    points: F32
    on_ground: Bools

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.points.nbytes + self.on_ground.nbytes


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What a camera shows of one object.

    Attributes:
        camera: which one.
        pixels: (H, W, 3) uint8 around the object.
        lines: (M, 2) pixels of the cut-out along the edges of its box.
    """

    camera: str
    pixels: U8
    lines: tuple[F64, ...]


@dataclass(frozen=True, slots=True)
class CropWish:
    """Wanted are the points around a box."""

    frame: int
    box: Box3D

    def serves(self, later: CropWish) -> bool:
        """Whether the points that were cut out for this one are enough for a later one."""
        grown = float(np.linalg.norm(later.box.size_lwh_m) - np.linalg.norm(self.box.size_lwh_m)) / 2
        return float(np.linalg.norm(later.box.center - self.box.center)) + grown < SLACK_M


@dataclass(frozen=True, eq=False, slots=True)
class LookWish:
    """Wanted is what cameras show of a track in a frame.

    Attributes:
        time_ns: of the frame.
        track: whose object it is.
        around: its annotations that say where it is then: before, at, and after the frame.
    """

    time_ns: int
    track: Track
    around: tuple[Annotation, ...]

    def serves(self, later: LookWish) -> bool:
        """Whether the object is still where it was."""
        return same(self.around, later.around)


@dataclass(eq=False)
class Cutter:
    """Makes cut-outs of a log, in one thread of the background; as many clouds are kept as MOST_BYTES allows.

    Attributes:
        log: the log.
    """

    log: DriveLog
    _clouds: OrderedDict[int, Crop] = field(default_factory=OrderedDict, repr=False)

    def crop(self, wish: CropWish) -> Crop | None:
        """The points around a box; None in a frame without points."""
        cloud = self._cloud(wish.frame)
        reach_m = float(np.linalg.norm(wish.box.size_lwh_m)) / 2 + ROOM_M
        away = cloud.points - wish.box.center.astype(np.float32)
        rows = np.flatnonzero(np.einsum("ni,ni->n", away, away) < reach_m**2)
        # A thing right before the LiDAR has more points than a small picture can show.
        rows = rows[:: max(1, -(-len(rows) // MOST_POINTS))]
        return Crop(cloud.points[rows], cloud.on_ground[rows])

    def look(self, wish: LookWish) -> Look | None:
        """What the camera that sees an object best shows of it; None where no camera does."""
        import cv2

        course = Course.of(self.log, wish.track)
        refs = (self.log.image_near(camera, wish.time_ns) for camera in self.log.rig.cameras)
        found = best(sight(self.log, course, ref) for ref in refs if ref is not None)
        if found is None:
            return None
        pixels = found.image.read()
        corner, cut = _around(found.ltrb_px, pixels)
        scale = min(LARGEST_PX / max(cut.shape[:2]), 1.0)
        small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        (shown, *_) = [*Outlines(self.log).of(found.image, [wish.track]), None]
        lines = () if shown is None else tuple((line - corner) * scale for line in shown.lines)
        return Look(found.image.camera, np.asarray(small, dtype=np.uint8), lines)

    def _cloud(self, frame: int) -> Crop:
        if frame in self._clouds:
            self._clouds.move_to_end(frame)
        else:
            self._clouds[frame] = self._read(frame)
            while len(self._clouds) > 1 and sum(cloud.nbytes for cloud in self._clouds.values()) > MOST_BYTES:
                self._clouds.popitem(last=False)
        return self._clouds[frame]

    def _read(self, frame: int) -> Crop:
        ref = self.log.sweep_at(int(self.log.timestamps_ns[frame]))
        if ref is None:
            return Crop(np.zeros((0, 3), np.float32), np.zeros(0, np.bool_))
        points = points_in_ego(self.log, read_deskewed(self.log, ref))
        points = points[np.isfinite(points).all(axis=1)]
        with np.errstate(invalid="ignore"):
            return Crop(points, np.asarray(Ground.fit(points).heights_above(points) < ON_GROUND_M))


def _around(ltrb_px: Rectangle, pixels: U8) -> tuple[F64, U8]:
    """The upper left corner of a cut-out around a rectangle, with some room, and its pixels."""
    low, high = np.array(ltrb_px[:2]), np.array(ltrb_px[2:])
    room = MARGIN * (high - low).max() + 4
    height, width = pixels.shape[:2]
    left, top = np.clip(np.floor(low - room), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(high + room), 1, [width, height]).astype(int)
    return np.array([left, top], dtype=np.float64), pixels[top:bottom, left:right]
