"""What automation proposes for the selected track: a ghost to take over or to refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fusion.labels import Annotation, Track
from viewer.session import Changed, Session
from viewer.tracks.live import Live, differs, differs_anywhere
from viewer.tracks.refit import Refitter, accepted


@dataclass(eq=False)
class Proposals:
    """Asks for a track to be solved again, and shows what came of it until it is taken over or refused.

    Attributes:
        session: whose selected track it is.
        changed: called when there is another ghost, or none any more.
        later: runs something in the thread of the window; called from any thread.
        failed: called, in the thread of the window, with what went wrong.
        ghost: the selected track as it would be.
        asked: whether a person asked for the ghost.
        live: asks by itself after edits.
    """

    session: Session
    changed: Callable[[], None]
    later: Callable[[Callable[[], None]], None] = lambda run: run()
    failed: Callable[[BaseException], None] = lambda error: None
    ghost: Track | None = None
    asked: bool = False
    live: Live = field(init=False)
    _refitter: Refitter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tell = lambda error: self.later(lambda: self.failed(error))  # noqa: E731
        self._refitter = Refitter(self.session.log, failed=tell)
        self.live = Live(lambda track: self._begin(track, asked=False), lambda run: self.later(run))

    @property
    def busy(self) -> bool:
        """Whether a track is being solved."""
        return self._refitter.busy

    def ask(self) -> None:
        """Begins to solve the selected track again; a second time, takes over what came of it."""
        track = self.session.track
        if track is None:
            return
        if self.ghost is not None and self.ghost.id == track.id:
            ghost, self.ghost = self.ghost, None
            self.session.apply(accepted(track, ghost))
        else:
            self._begin(track, asked=True)

    def refuse(self) -> None:
        """Shows the ghost no longer."""
        if self.ghost is not None:
            self.ghost = None
            self.changed()

    def at(self, time_ns: int) -> Annotation | None:
        """The box of the ghost at an instant; where nobody asked for it, only if one sees a difference."""
        ghost, track = self.ghost, self.session.track
        if ghost is None or track is None or not (self.asked or differs(track, ghost, time_ns)):
            return None
        return ghost.annotations.get(time_ns)

    def notice(self, changed: Changed) -> None:
        """Something of the session has changed: a ghost of what was before is worth nothing."""
        if changed & (Changed.SELECTION | Changed.LABELS):
            self.ghost = None
            self.live.noticed(self.session.store.labels.tracks.get(self.session.selected or ""))

    def switch(self) -> None:
        """Begins to solve tracks by itself, or does so no longer."""
        self.live.on = not self.live.on
        self.live.stop()
        self.changed()

    def close(self) -> None:
        """Stops what goes on in the background."""
        self.live.stop()
        self._refitter.close()

    def _begin(self, track: Track, asked: bool) -> None:
        self.live.stop()
        self._refitter.begin(
            track, lambda before, after: self.later(lambda: self._take(before, after, asked))
        )

    def _take(self, before: Track, ghost: Track, asked: bool) -> None:
        """Shows what was solved, unless the track has changed meanwhile, or nobody would see a difference."""
        same = self.session.store.labels.tracks.get(before.id) is before
        if same and self.session.selected == before.id and (asked or differs_anywhere(before, ghost)):
            self.ghost, self.asked = ghost, asked
            self.changed()
