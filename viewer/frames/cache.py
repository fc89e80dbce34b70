"""Frames read ahead of their being shown, in the background, with a limit on their memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from autolabel import fit
from fusion.log import DriveLog
from viewer.frames.frame import Cloud, Frame, read_frame

__all__ = ["MOST_BYTES", "Cloud", "Frame", "FrameCache"]

HELPERS = 4
MOST_BYTES = 1 << 30


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
    _helpers: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # One frame after the other, each as fast as it goes: the one that is waited for comes first.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crosslabel-frames")
        self._helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="crosslabel-images")

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

    def __len__(self) -> int:
        """How many frames are there by now."""
        with self._lock:
            return len(self._frames)

    @property
    def nbytes(self) -> int:
        """Memory that is taken now."""
        with self._lock:
            return sum(frame.nbytes for frame in self._frames.values())

    @property
    def busy(self) -> bool:
        """Whether frames are on their way."""
        with self._lock:
            return bool(self._coming)

    def close(self) -> None:
        """Stops reading."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._helpers.shutdown(wait=True)

    def _begin(self, number: int) -> None:
        if number not in self._frames and number not in self._coming:
            self._coming[number] = self._pool.submit(self._read, number)

    def _read(self, number: int) -> Frame:
        frame = read_frame(self.log, number, self._helpers)
        with self._lock:
            self._frames[number] = frame
            self._coming.pop(number, None)
            taken = self.nbytes
            while taken > self.most_bytes and len(self._frames) > 1:
                _, oldest = self._frames.popitem(last=False)
                taken -= oldest.nbytes
        self.arrived(number)
        fit.ready()  # while the first frame is looked at, so that the first drag need not wait
        return frame
