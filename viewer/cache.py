"""Frames read ahead of their being shown, in the background, with a limit on their memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from autolabel.fit import Cloud as Pointed
from calib.errors import CrosslabelError
from calib.types import F32, F64, I32, U8, Bools
from fusion.align import points_in_ego, read_deskewed
from fusion.ground import Ground
from fusion.log import DriveLog, ImageRef
from fusion.sweep import Sweep

WORKERS = 2
MOST_BYTES = 2 << 30
ON_GROUND_M = 0.12


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

    def pointed(self, rows: np.ndarray | slice = slice(None)) -> Pointed:
        """Some of the points, or all, as what a box is fitted to."""
        return Pointed(self.points[rows], self.above_m[rows], self.lidar)

    @property
    def on_ground(self) -> Bools:
        """(N,) whether a point lies on the ground."""
        return np.asarray(self.above_m < ON_GROUND_M)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        columns = (self.points, self.intensity, self.ring, self.offset_ns, self.above_m)
        twice = 0 if self.sweep is None else self.sweep.points.nbytes
        return twice + sum(column.nbytes for column in columns)


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """All that was measured at one frame.

    Attributes:
        number: of the frame.
        cloud: its points.
        images: by camera, (H, W, 3) uint8 RGB, with the reference that says when.
        problems: what could not be read, one line each.
    """

    number: int
    cloud: Cloud
    images: Mapping[str, tuple[ImageRef, U8]]
    problems: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.cloud.nbytes + sum(image.nbytes for _, image in self.images.values())


def read_cloud(log: DriveLog, frame: int) -> Cloud:
    """The points of one frame; empty where there is no sweep."""
    ref = log.sweep_at(int(log.timestamps_ns[frame]))
    if ref is None:
        return Cloud.empty()
    sweep = read_deskewed(log, ref)
    finite = np.asarray(np.isfinite(sweep.points).all(axis=1))
    sweep = sweep if finite.all() else sweep.keep(finite)
    points = points_in_ego(log, sweep)
    count = len(points)
    intensity = np.zeros(count, np.float32) if sweep.intensity is None else sweep.intensity
    ring, offset_ns = (
        np.zeros(count, np.int32) if column is None else np.asarray(column, np.int32)
        for column in (sweep.ring, sweep.offset_ns)
    )
    ground = Ground.fit(points)
    above_m = ground.heights_above(points).astype(np.float32)
    lidar = log.rig.lidars[sweep.lidar].ego_from_sensor.translation
    return Cloud(points, intensity, ring, offset_ns, above_m, ground, lidar, sweep)


def read_frame(log: DriveLog, number: int) -> Frame:
    """Points and images of one frame; what cannot be read is missing, and named."""
    problems: list[str] = []
    try:
        cloud = read_cloud(log, number)
    except (CrosslabelError, OSError) as error:
        cloud = Cloud.empty()
        problems.append(str(error))
    images: dict[str, tuple[ImageRef, U8]] = {}
    for camera in log.rig.cameras:
        ref = log.image_near(camera, int(log.timestamps_ns[number]))
        if ref is None:
            continue
        try:
            images[camera] = (ref, ref.read())
        except (CrosslabelError, OSError) as error:
            problems.append(str(error))
    return Frame(number, cloud, images, tuple(problems))


@dataclass(eq=False)
class FrameCache:
    """The frames that were shown last, and those that will be.

    Attributes:
        log: where they come from.
        most_bytes: the least recently used go where more memory than this would be taken.
        arrived: called, in a thread of the background, with the number of every frame that was read.
    """

    log: DriveLog
    most_bytes: int = MOST_BYTES
    arrived: Callable[[int], None] = lambda number: None
    _frames: OrderedDict[int, Frame] = field(default_factory=OrderedDict, repr=False)
    _coming: dict[int, Future[Frame]] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="crosslabel-frames")

    def get(self, number: int) -> Frame | None:
        """A frame, if it is there by now; otherwise it is on its way."""
        with self._lock:
            if number in self._frames:
                self._frames.move_to_end(number)
                return self._frames[number]
            self._begin(number)
        return None

    def wait(self, number: int) -> Frame:
        """A frame, however long it takes."""
        while (frame := self.get(number)) is None:
            with self._lock:
                coming = self._coming.get(number)
            if coming is not None:
                coming.result()
        return frame

    def prefetch(self, numbers: Iterable[int]) -> None:
        """Begins to read frames; what was asked for earlier and has not begun is no longer wanted."""
        wanted = [number for number in dict.fromkeys(numbers) if 0 <= number < len(self.log)]
        with self._lock:
            for number, coming in list(self._coming.items()):
                if number not in wanted and coming.cancel():
                    del self._coming[number]
            for number in wanted:
                self._begin(number)

    def __contains__(self, number: object) -> bool:
        """Whether a frame is there by now."""
        with self._lock:
            return number in self._frames

    @property
    def nbytes(self) -> int:
        """Memory that is taken now."""
        with self._lock:
            return sum(frame.nbytes for frame in self._frames.values())

    def close(self) -> None:
        """Stops reading."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, number: int) -> None:
        if number not in self._frames and number not in self._coming:
            self._coming[number] = self._pool.submit(self._read, number)

    def _read(self, number: int) -> Frame:
        frame = read_frame(self.log, number)
        with self._lock:
            self._frames[number] = frame
            self._coming.pop(number, None)
            taken = self.nbytes
            while taken > self.most_bytes and len(self._frames) > 1:
                _, oldest = self._frames.popitem(last=False)
                taken -= oldest.nbytes
        self.arrived(number)
        return frame
