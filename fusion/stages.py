"""Where the time of a long computation goes, stage by stage.

Code says which stage it is in, and does not ask whether anybody listens:

    with stage("detect"):
        found = detector.detect(scans, frame)

Whoever wants to know wraps the whole:

    with measured() as stages:
        label(log, given)
    stages.spent_s["detect"]
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType

REST = "else"


@dataclass(eq=False, slots=True)
class Stages:
    """Seconds by stage, each without those of the stages that it calls.

    Attributes:
        spent_s: of the processor, in the threads in which stages were entered; "else" is what lies between
            them in the thread that listens.
        wall_s: by the clock on the wall.
    """

    spent_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    wall_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, name: str, spent_s: float, wall_s: float) -> None:
        """Books seconds on a stage."""
        with self._lock:
            self.spent_s[name] += spent_s
            self.wall_s[name] += wall_s


@dataclass(eq=False, slots=True)
class _Span:
    """A stretch of one thread's time, and how much of it stages within have booked already."""

    stages: Stages
    outer: _Span | None
    thread: int = field(default_factory=threading.get_ident)
    since_s: float = field(default_factory=time.thread_time)
    since_wall_s: float = field(default_factory=time.perf_counter)
    inner_s: float = 0.0
    inner_wall_s: float = 0.0

    def book(self, name: str) -> None:
        """What is left of the time since it began is that of a stage, and the outer span's no longer."""
        spent_s, wall_s = time.thread_time() - self.since_s, time.perf_counter() - self.since_wall_s
        self.stages.add(name, spent_s - self.inner_s, wall_s - self.inner_wall_s)
        if self.outer is not None and self.outer.thread == self.thread:
            self.outer.inner_s += spent_s
            self.outer.inner_wall_s += wall_s


_OPEN: ContextVar[_Span | None] = ContextVar("open stage", default=None)


class stage:
    """Books the time within on a stage, where somebody listens; costs next to nothing where nobody does."""

    __slots__ = ("_name", "_span", "_token")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        outer = _OPEN.get()
        self._span = None if outer is None else _Span(outer.stages, outer)
        if self._span is not None:
            self._token = _OPEN.set(self._span)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is not None:
            _OPEN.reset(self._token)
            self._span.book(self._name)


@contextmanager
def measured() -> Iterator[Stages]:
    """Listens to the stages within, of this thread and of those that run in its context.

    Who listens outside of it hears the same stages afterwards.
    """
    outer, stages = _OPEN.get(), Stages()
    span = _Span(stages, None)
    token = _OPEN.set(span)
    try:
        yield stages
    finally:
        _OPEN.reset(token)
        span.book(REST)
        if outer is not None:
            _pass_on(stages, outer)


def _pass_on(stages: Stages, outer: _Span) -> None:
    for name, spent_s in stages.spent_s.items():
        if name != REST:
            outer.stages.add(name, spent_s, stages.wall_s[name])
            outer.inner_s += spent_s
            outer.inner_wall_s += stages.wall_s[name]
