"""2D boxes of all objects in all images of a log, made in the background and stored as one step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from autolabel.images import image_boxes
from autolabel.scans import Scan, Scans
from autolabel.world import LocalWorld
from fusion.edits import Edit, Group, PutImageBoxes
from fusion.labels import LabelSet
from viewer.session import Session


class _Readable(Scans):
    """The scans of a log; one that cannot be read hides nothing, and hinders nothing."""

    def at(self, frame: int) -> Scan | None:
        try:
            return super().at(frame)
        except Exception:  # of whatever kind: the boxes themselves do not need it
            return None


class _StoppedError(Exception):
    """Nobody waits for it any more."""


@dataclass(eq=False)
class BoxMaker:
    """Makes the 2D boxes of a log; one run at a time.

    Attributes:
        session: whose labels they belong to.
        later: runs something in the thread of the window; called from any thread.
        failed: called there with what went wrong.
    """

    session: Session
    later: Callable[[Callable[[], None]], None]
    failed: Callable[[BaseException], None] = lambda error: None
    _running: Future[None] | None = field(default=None, repr=False)
    _stopped: bool = field(default=False, repr=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crosslabel-2d")

    @property
    def busy(self) -> bool:
        """Whether boxes are being made."""
        return self._running is not None and not self._running.done()

    def begin(self) -> None:
        """Begins, unless it goes on already."""
        if not self.busy:
            self._running = self._pool.submit(self._make, self.session.store.labels)
            self._running.add_done_callback(self._look_after)

    def close(self) -> None:
        """Stops in the middle; nothing is stored."""
        self._stopped = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, labels: LabelSet) -> None:
        edits = image_boxes(self.session.log, labels, _Readable(LocalWorld.of(self.session.log)), self._note)
        made = {edit.track_id: edit for edit in edits if isinstance(edit, PutImageBoxes)}
        self.later(lambda: self._store(labels, made))

    def _note(self, step: str, done: int, total: int) -> None:
        if self._stopped:
            raise _StoppedError

    def _store(self, before: LabelSet, made: dict[str, PutImageBoxes]) -> None:
        """Stores the boxes of all tracks that are still as they were; others have moved meanwhile."""
        now = self.session.store.labels.tracks
        still: tuple[Edit, ...] = tuple(
            edit for track_id, edit in made.items() if now.get(track_id) is before.tracks[track_id]
        )
        if still and not self._stopped:
            self.session.apply(Group(still, "Make the 2D boxes of the whole log"))

    def _look_after(self, ended: Future[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None and not isinstance(error, _StoppedError):
            self.later(lambda: self.failed(error))
