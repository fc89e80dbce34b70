"""Things that are made in the background, as long as they are wanted, with a limit on how many are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Wish = TypeVar("Wish")
Made = TypeVar("Made")


@dataclass(eq=False)
class Background(Generic[Key, Wish, Made]):
    """Makes what is wished for, one after the other, in a thread of its own.

    Attributes:
        make: makes a thing; None where there is none. Called in the background.
        serves: whether a thing made for an earlier wish serves a later one.
        most: how many things are kept.
        arrived: called in the background after each.
    """

    make: Callable[[Wish], Made | None]
    serves: Callable[[Wish, Wish], bool]
    most: int
    arrived: Callable[[], None] = lambda: None
    _made: OrderedDict[Key, tuple[Wish, Made | None]] = field(default_factory=OrderedDict, repr=False)
    _coming: dict[Key, tuple[Wish, Future[None]]] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crosslabel-crops")

    def get(self, key: Key) -> Made | None:
        """What was made under a key last, if there is something; it may be of an earlier wish."""
        with self._lock:
            return self._made[key][1] if key in self._made else None

    def want(self, wishes: Mapping[Key, Wish]) -> None:
        """Begins what is not there yet; what was wanted earlier and has not begun is given up."""
        with self._lock:
            for key, (_, coming) in list(self._coming.items()):
                if key not in wishes and coming.cancel():
                    del self._coming[key]
            for key, wish in wishes.items():
                if key in self._made:
                    self._made.move_to_end(key)
                    if self.serves(self._made[key][0], wish):
                        continue
                if key not in self._coming:
                    self._coming[key] = (wish, self._pool.submit(self._run, key, wish))

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        with self._lock:
            return bool(self._coming)

    def close(self) -> None:
        """Makes nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: Key, wish: Wish) -> None:
        try:
            made = self.make(wish)
        except Exception:  # of whatever kind: the other things can still be made
            made = None
        with self._lock:
            self._coming.pop(key, None)
            self._made[key] = (wish, made)
            self._made.move_to_end(key)
            while len(self._made) > self.most:
                self._made.popitem(last=False)
        self.arrived()
