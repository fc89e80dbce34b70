"""What automation proposes for the selected track: a ghost to take over or to refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fusion.labels import Track
from viewer.refit import Refitter, accepted
from viewer.session import Session


@dataclass(eq=False)
class Proposals:
    """Asks for a track to be solved again, and shows what came of it until it is taken over or refused.

    Attributes:
        session: whose selected track it is.
        changed: called when there is another ghost, or none any more.
        later: runs something in the thread of the window; called from any thread.
        ghost: the selected track as it would be.
    """

    session: Session
    changed: Callable[[], None]
    later: Callable[[Callable[[], None]], None] = lambda run: run()
    ghost: Track | None = None
    _refitter: Refitter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._refitter = Refitter(self.session.log)

    def ask(self) -> None:
        """Begins to solve the selected track again; a second time, takes over what came of it."""
        track = self.session.track
        if track is None:
            return
        if self.ghost is not None and self.ghost.id == track.id:
            ghost, self.ghost = self.ghost, None
            self.session.apply(accepted(track, ghost))
        else:
            self._refitter.begin(track, lambda before, after: self.later(lambda: self._take(before, after)))

    def refuse(self) -> None:
        """Shows the ghost no longer."""
        if self.ghost is not None:
            self.ghost = None
            self.changed()

    def close(self) -> None:
        """Stops what goes on in the background."""
        self._refitter.close()

    def _take(self, before: Track, ghost: Track) -> None:
        """Shows what was solved, unless the track has changed meanwhile."""
        if self.session.store.labels.tracks.get(before.id) is before:
            self.ghost = ghost
            self.changed()
