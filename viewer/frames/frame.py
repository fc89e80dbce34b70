"""What was measured at one frame, as the viewer works with it: points in the ego frame, and images."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from autolabel.fit import Cloud as Pointed
from calib.errors import CrosslabelError
from calib.types import F32, F64, I32, U8, Bools
from fusion.align import points_in_ego
from fusion.ground import Ground
from fusion.log import DriveLog, ImageRef
from fusion.sweep import Sweep, deskew

# More than the sensors of a car give in one sweep; of more, every n-th point is shown and worked with.
MOST_POINTS = 1_000_000
SMALL_PX = 640
ON_GROUND_M = 0.12
FAR_M = 300.0


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """The points of one frame, as the car standing still would see them.

    Attributes:
        points: (N, 3) float32 in the ego frame; only finite ones.
        intensity: (N,) float32; zeros where the sensor gives none.
        ring: (N,) int32; zeros where the sensor gives none.
        offset_ns: (N,) int32 when each was measured; zeros where nobody knows.
        above_m: (N,) float32 height above the ground; NaN where that is unknown.
        ground: below them.
        lidar: (3,) where the main LiDAR is.
        sweep: what it was made of, point by point; None in a frame without one.
    """

    points: F32
    intensity: F32
    ring: I32
    offset_ns: I32
    above_m: F32
    ground: Ground | None
    lidar: F64
    sweep: Sweep | None = None

    @classmethod
    def empty(cls) -> Cloud:
        """Of a frame without a sweep."""
        none, whole = np.zeros(0, np.float32), np.zeros(0, np.int32)
        return cls(np.zeros((0, 3), np.float32), none, whole, whole, none, None, np.zeros(3))

    def pointed(self) -> Pointed:
        """What a box is fitted to."""
        return Pointed(self.points, self.lidar)

    @property
    def on_ground(self) -> Bools:
        """(N,) whether a point lies on the ground."""
        return np.asarray(self.above_m < ON_GROUND_M)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        columns = (self.points, self.intensity, self.ring, self.offset_ns, self.above_m)
        twice = 0 if self.sweep is None else self.sweep.points.nbytes + self.intensity.nbytes
        return twice + sum(column.nbytes for column in columns)


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """All that was measured at one frame.

    Attributes:
        number: of the frame.
        cloud: its points.
        images: by camera, (H, W, 3) uint8 RGB, with the reference that says when.
        small: the same images at most SMALL_PX wide, for panels that show all of them.
        problems: what could not be read, one line each.
    """

    number: int
    cloud: Cloud
    images: Mapping[str, tuple[ImageRef, U8]]
    small: Mapping[str, U8]
    problems: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        pixels = sum(image.nbytes for _, image in self.images.values())
        return self.cloud.nbytes + pixels + sum(image.nbytes for image in self.small.values())


def read_frame(log: DriveLog, number: int, helpers: Executor) -> Frame:
    """Points and images of one frame; what cannot be read is missing, and named.

    The helpers read the images meanwhile.
    """
    found = (log.image_near(camera, int(log.timestamps_ns[number])) for camera in log.rig.cameras)
    refs = [ref for ref in found if ref is not None]
    coming = [helpers.submit(_read_image, ref) for ref in refs]
    problems: list[str] = []
    try:
        cloud = _read_cloud(log, number, problems)
    except Exception as error:  # of whatever kind: the other frames can still be worked with
        cloud = Cloud.empty()
        problems.append(_said(error))
    images: dict[str, tuple[ImageRef, U8]] = {}
    small: dict[str, U8] = {}
    for ref, image in zip(refs, coming, strict=True):
        try:
            pixels, small[ref.camera] = image.result()
            images[ref.camera] = (ref, pixels)
        except Exception as error:
            problems.append(f"{ref.camera}: {_said(error)}")
    return Frame(number, cloud, images, small, tuple(problems))


def _read_image(ref: ImageRef) -> tuple[U8, U8]:
    """An image, and the same made small."""
    import cv2

    pixels = ref.read()
    share = SMALL_PX / pixels.shape[1]
    if share >= 1:
        return pixels, pixels
    size = (SMALL_PX, max(round(share * pixels.shape[0]), 1))
    return pixels, np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _read_cloud(log: DriveLog, frame: int, problems: list[str]) -> Cloud:
    ref = log.sweep_at(int(log.timestamps_ns[frame]))
    if ref is None:
        problems.append("no sweep in this frame" if log.rig.lidars else "this log has no LiDAR")
        return Cloud.empty()
    sweep = _usable(ref.read(), problems)
    sweep = deskew(sweep, log.rig.lidars[sweep.lidar].ego_from_sensor, log.trajectory)
    points = points_in_ego(log, sweep)
    count = len(points)
    intensity = np.zeros(count, np.float32) if sweep.intensity is None else np.nan_to_num(sweep.intensity)
    ring, offset_ns = (
        np.zeros(count, np.int32) if column is None else np.asarray(column, np.int32)
        for column in (sweep.ring, sweep.offset_ns)
    )
    ground = Ground.fit(points)
    above_m = ground.heights_above(points).astype(np.float32)
    problems += _odd(points, above_m)
    lidar = log.rig.lidars[sweep.lidar].ego_from_sensor.translation
    return Cloud(points, intensity, ring, offset_ns, above_m, ground, lidar, sweep)


def _usable(sweep: Sweep, problems: list[str]) -> Sweep:
    """The points of a sweep that can be worked with; what is left out is named."""
    finite = np.asarray(np.isfinite(sweep.points).all(axis=1))
    if not finite.all():
        problems.append(f"{(~finite).sum():,} of {len(sweep):,} points are no numbers and left out")
        sweep = sweep.keep(finite)
    if len(sweep) > MOST_POINTS:
        every = -(-len(sweep) // MOST_POINTS)
        problems.append(f"{len(sweep):,} points: every {every}th of them is shown")
        sweep = sweep.keep(np.arange(0, len(sweep), every))
    return sweep


def _odd(points: F32, above_m: F32) -> list[str]:
    """What is strange about the points of a frame, one line each."""
    if len(points) == 0:
        return ["the sweep has no points"]
    away_m = float(np.median(np.linalg.norm(points, axis=1)))
    if away_m > FAR_M:
        return [f"the points lie {away_m:,.0f} m from the car: are they in the frame of the LiDAR?"]
    return [] if np.isfinite(above_m).any() else ["no ground found: heights count from the car"]


def _said(error: Exception) -> str:
    """An error in one line; of one that nobody has foreseen, the kind as well."""
    told = " ".join(str(error).split())
    return told if isinstance(error, CrosslabelError | OSError) else f"{type(error).__name__}: {told}"
